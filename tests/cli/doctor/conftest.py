import getpass
import http.server
import subprocess
import threading
from collections.abc import Iterator

import pytest

from support.mosquitto import Mosquitto

RULES = """\
user web-1
topic write fleet/web-1/#
topic read fleet/web-1/status
topic read fleet/web-1/doctor

user blind
topic read fleet/blind/#

user bridge
topic read fleet/#

user anybody
topic readwrite #
"""


@pytest.fixture(scope="module")
def ruled_mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Give a broker with users, whose password is `secret`, and a rule for each."""
    folder = tmp_path_factory.mktemp("ruled")
    rules, users = folder / "rules", folder / "users"
    rules.write_text(RULES)
    users.touch(mode=0o600)
    for user in ("web-1", "blind", "bridge", "anybody"):
        subprocess.run(
            ["mosquitto_passwd", "-b", str(users), user, "secret"], check=True, stderr=subprocess.PIPE
        )
    broker = Mosquitto(folder, f"user {getpass.getuser()}", f"acl_file {rules}", f"password_file {users}")
    text = broker._configuration.read_text().replace("allow_anonymous true", "allow_anonymous false")
    broker._configuration.write_text(text)
    yield broker.start()
    broker.kill()


@pytest.fixture
def http_port() -> Iterator[int]:
    """Give a port of 127.0.0.1 on which a web server answers that is no bridge."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<h1>It works!</h1>")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
