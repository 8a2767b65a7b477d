import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetglass.cli.configuration.broker_choice import check_given, choose_local, find_mosquitto
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.probe import probe
from fleetglass.wire.errors import CommandError, UsageError
from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.ports import free_port


def access(port: int, *, tls: bool = False, password: str | None = None) -> BrokerAccess:
    user = "u" if password else None
    return BrokerAccess(url=BrokerURL("127.0.0.1", port, tls=tls, user=user), password=password)


@pytest.fixture
def web_server_port() -> Iterator[int]:
    """Give a port on which everything is answered with an error of HTTP."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


@pytest.fixture
def strict_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """Give a broker that lets nobody in without a user name."""
    broker = Mosquitto(tmp_path)
    text = broker._configuration.read_text().replace("allow_anonymous true", "allow_anonymous false")
    broker._configuration.write_text(text)
    yield broker.start()
    broker.kill()


@pytest.mark.broker
def test_broker_that_lets_us_in(mosquitto: Mosquitto) -> None:
    """A broker that accepts is chosen, and named as the one that runs already."""
    assert probe(access(mosquitto.port)).outcome == "accepted"
    choice = choose_local(mosquitto.port)
    assert choice.command == ()
    assert choice.description == f"the broker that already runs on 127.0.0.1:{mosquitto.port}"
    assert check_given(access(mosquitto.port)).url.port == mosquitto.port


@pytest.mark.broker
def test_broker_that_refuses(strict_mosquitto: Mosquitto) -> None:
    """A broker that wants a user name is not replaced by another: the user is told what to do."""
    assert probe(access(strict_mosquitto.port)).outcome == "refused"
    with pytest.raises(CommandError, match=r"--broker mqtt://USER@127.0.0.1:.* or .* --broker-port"):
        choose_local(strict_mosquitto.port)
    with pytest.raises(CommandError, match=r"refuses: .* FLEETGLASS_PASSWORD"):
        check_given(access(strict_mosquitto.port, password="wrong"))


def test_nothing_there() -> None:
    """A port without a listener is told as such."""
    port = free_port()
    assert probe(access(port)).outcome == "nothing"
    with pytest.raises(
        CommandError, match=rf"nothing answers at mqtt://127.0.0.1:{port}: connection refused"
    ):
        check_given(access(port))


def test_another_program_there(web_server_port: int) -> None:
    """A program that is no broker is named as the trouble, with its port and the option."""
    assert probe(access(web_server_port)).outcome == "no_mqtt"
    with pytest.raises(CommandError, match=rf"got {web_server_port} .* --broker-port"):
        choose_local(web_server_port)
    with pytest.raises(CommandError, match=r"expected an MQTT broker"):
        check_given(access(web_server_port))


def test_silent_program_there(taken_port: int) -> None:
    """A program that never answers is no broker."""
    answer = probe(access(taken_port), 0.2)
    assert (answer.outcome, answer.reason) == ("no_mqtt", "it does not answer")


@pytest.mark.broker
def test_no_tls_there(mosquitto: Mosquitto) -> None:
    """A broker that speaks no TLS is told as such, and never tried in clear."""
    answer = probe(access(mosquitto.port, tls=True))
    assert answer.outcome == "no_mqtt"
    assert answer.reason.startswith("no TLS")


@pytest.mark.broker
def test_a_certificate_that_is_missing_is_told(tmp_path: Path) -> None:
    """Whether the broker's cannot be trusted or it asks for ours, the remedy says which to name."""
    authority = Authority(tmp_path)
    broker = Mosquitto(tmp_path)
    broker.use_tls(authority, "require_certificate true")
    broker.start()
    try:
        stranger = probe(access(broker.port, tls=True))
        url = BrokerURL("127.0.0.1", broker.port, tls=True)
        uncertified = probe(BrokerAccess(url=url, ca_file=str(authority.own.certificate)))
    finally:
        broker.kill()
    assert "not trusted" in stranger.reason
    assert "ca_file" in stranger.remedy
    assert uncertified.reason.startswith("it ended the connection: ")
    assert "certificate_file" in uncertified.remedy


def test_certificates_that_are_none(tmp_path: Path) -> None:
    """A file that holds no certificate is refused by its key and name."""
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    broken = BrokerAccess(url=BrokerURL("h", 8883, tls=True), ca_file=str(path))
    with pytest.raises(UsageError, match=r"ca_file: got .*ca.pem: .*, expected certificates in PEM"):
        probe(broken)


def test_mosquitto_is_found_outside_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is found where Debian keeps it, though users have no PATH to it."""
    found = find_mosquitto()
    if found is None or not found.startswith("/usr/sbin"):
        pytest.skip("mosquitto is not in /usr/sbin here")
    monkeypatch.setenv("PATH", "/usr/bin")
    assert find_mosquitto() == found
