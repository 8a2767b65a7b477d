"""The recipes of `deploy/` in the real nginx and the real Caddy, without TLS and on free ports."""

import http.server
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.ports import free_port
from support.waiting import wait_for

DEPLOY = Path(__file__).parents[2] / "deploy"
SECRET = "the-secret-of-proxy-and-bridge"
"""What a bridge behind a recipe is told as the secret of its proxy."""
PLAIN = {
    "nginx": """
        upstream fleetglass { server 127.0.0.1:8765; }
        server {
            listen 443 ssl;
            location / { proxy_pass http://fleetglass; proxy_set_header Host $http_host; }
        }
    """,
    "caddy": "fleet.example.org {\n\treverse_proxy 127.0.0.1:8765\n}\n",
}
"""The shortest that anybody writes, which passes on what a browser sends."""


class Login:
    """A login service: whoever has a cookie `login` is let in, and named by it."""

    def __init__(self, port: int) -> None:
        self.port = port


@contextmanager
def running_login() -> Iterator[Login]:
    """Run a login service on a free port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = re.search(r"login=(\w*)", self.headers.get("Cookie") or "")
            self.send_response(202 if found else 401)
            if found and found[1]:
                self.send_header("X-Auth-Request-User", found[1])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Login(server.server_port)
        server.shutdown()
        thread.join()


@contextmanager
def running_proxy(
    name: str,
    recipe: str,
    folder: Path,
    *,
    bridge: int,
    others: tuple[int, ...] = (),
    login: int = 1,
    auth: bool = True,
) -> Iterator[int]:
    """Run a recipe in front of a bridge and others, and give its port; `auth` False takes its users away.

    The recipe `plain` is none of ours.
    """
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"needs {name}: apt-get install {name}")
    port = free_port()
    suffix = "Caddyfile" if name == "caddy" else "conf"
    text = PLAIN[name] if recipe == "plain" else (DEPLOY / name / f"{recipe}.{suffix}").read_text()
    between = " " if name == "caddy" else "; server "
    text = _replaced(text, "127.0.0.1:8765", between.join(f"127.0.0.1:{port}" for port in (bridge, *others)))
    text = text.replace("127.0.0.1:4180", f"127.0.0.1:{login}")
    configure = _nginx if name == "nginx" else _caddy
    command = [program, *configure(text, folder, port, auth=auth)]
    log = folder / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            env=os.environ | {"HOME": str(folder), "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": ""},
        ) as process,
    ):
        try:
            wait_for(lambda: _answers(port) or process.poll() is not None, f"{name} answers")
            assert process.poll() is None, log.read_text()
            yield port
        finally:
            process.terminate()


def _nginx(text: str, folder: Path, port: int, *, auth: bool) -> list[str]:
    secret = folder / "fleetglass-secret.conf"
    secret.write_text(f'proxy_set_header X-Fleetglass-Proxy-Secret "{SECRET}";\n')
    snippet = folder / "fleetglass-proxy.conf"
    lines = (DEPLOY / "nginx" / snippet.name).read_text()
    snippet.write_text(_replaced(lines, "/etc/nginx/fleetglass-secret.conf", str(secret)))
    passwords = folder / "htpasswd"
    passwords.write_text("ada:{PLAIN}secret\n")
    text = text.replace("/etc/nginx/fleetglass-proxy.conf", str(snippet))
    text = text.replace("/etc/nginx/fleetglass.htpasswd", str(passwords))
    text = _replaced(text, "listen 443 ssl;", f"listen 127.0.0.1:{port};")
    text = re.sub(r"(?m)^ *ssl_certificate.*\n", "", text)
    if not auth:
        text = re.sub(r"(?m)^ *auth_basic.*\n", "", text)
        text = _replaced(text, "set $fleetglass_user $remote_user;", 'set $fleetglass_user "";')
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log stderr;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{paths}{text}\n}}\n"
    )
    return ["-e", "stderr", "-c", str(main)]


def _caddy(text: str, folder: Path, port: int, *, auth: bool) -> list[str]:
    text = re.sub(r"(?m)^([\w.]+\.example\.org) \{", rf"http://\1:{port}, http://127.0.0.1:{port} {{", text)
    secret = folder / "fleetglass-secret"
    secret.write_text(f'header_up X-Fleetglass-Proxy-Secret "{SECRET}"\n')
    text = text.replace("/etc/caddy/fleetglass-secret", str(secret))
    text = re.sub(r"\$2a\$\S+", "$2a$14$KZ1qmU7FufmQ0.biGF0/ou1YPd2eAtM9pAAewmazesd/5wglY.wZ6", text)
    if not auth:
        text = re.sub(r"basicauth \{[^}]*\}", "", text)
    main = folder / "Caddyfile"
    main.write_text(f"{{\n\tadmin off\n}}\n{text}")
    return ["run", "--adapter", "caddyfile", "--config", str(main)]


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, f"the recipe no longer says {old}"
    return text.replace(old, new)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
