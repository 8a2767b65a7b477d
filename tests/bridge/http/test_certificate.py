"""TLS with real certificates over real sockets."""

import asyncio
import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from fleetglass.bridge.http.certificate import Certificate
from fleetglass.wire.errors import BridgeError
from support.bridge import running_bridge
from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.waiting import wait_until


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    folder = tmp_path / "authority"
    folder.mkdir()
    return Authority(folder)


def _trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.own.certificate))


@pytest.mark.broker
async def test_a_new_certificate_is_served_without_dropping_anybody(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever connects after the change gets the new one, who was inside stays; a bad one is told once."""
    cert, key = tmp_path / "page.pem", tmp_path / "page.key"
    first, second = authority.issue("first"), authority.issue("second")
    shutil.copy(first.certificate, cert)
    shutil.copy(first.key, key)
    tls = _trusting(authority)
    async with running_bridge(mosquitto, prefix, tls=tls, cert=str(cert), key=str(key)) as bridge:
        assert (await bridge.get("/"))[0] == 200
        async with bridge.viewer() as viewer:
            await viewer.next("welcome")
            assert await _name(bridge.port, tls) == "first"
            # The key comes a moment after its certificate, as certbot and others copy them.
            shutil.copy(second.certificate, cert)
            await wait_until(lambda: "the old certificate stays" in caplog.text, "the half change is told")
            assert await _name(bridge.port, tls) == "first"
            shutil.copy(second.key, key)

            async def changed() -> bool:
                return await _name(bridge.port, tls) == "second"

            await wait_until(changed, "the new certificate is served")
            await viewer.send(type="ping", id=1)
            await viewer.next("pong")
    assert caplog.text.count("the old certificate stays") == 1


@pytest.mark.broker
async def test_old_protocols_and_plain_http_are_refused(
    mosquitto: Mosquitto, prefix: str, authority: Authority
) -> None:
    """TLS 1.2 is the least, and a request in clear gets no answer from the page."""
    made = authority.issue("page")
    tls = _trusting(authority)
    async with running_bridge(
        mosquitto, prefix, tls=tls, cert=str(made.certificate), key=str(made.key)
    ) as bridge:
        status, _, headers = await bridge.get("/")
        assert status == 200
        # On another port than 443 the rule would also hold for other services of that name.
        assert "Strict-Transport-Security" not in headers
        old = _trusting(authority)
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError):
            await _name(bridge.port, old)
        for protocol in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            exact = _trusting(authority)
            exact.minimum_version = exact.maximum_version = protocol
            assert await _name(bridge.port, exact) == "page"


def test_a_certificate_that_cannot_be_used_is_an_error_in_words(tmp_path: Path, authority: Authority) -> None:
    """One line that names the file, and never a question on the terminal."""
    one, other = authority.issue("one"), authority.issue("other")
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "pkey", "-in", one.key, "-aes256", "-passout", "pass:x", "-out", locked],
        check=True,
        capture_output=True,
    )
    for cert, key, problem in (
        (one.certificate, other.key, "a key of another certificate"),
        (rubbish, one.key, "something else than a certificate chain"),
        (one.certificate, None, "something else than a certificate chain and its key"),
        (one.certificate, locked, "a key with a passphrase"),
        (tmp_path / "none", one.key, "cert: got .*No such file"),
        (one.certificate, tmp_path, "key: got .*expected a file in PEM"),
    ):
        with pytest.raises(BridgeError, match=problem) as caught:
            Certificate(str(cert), str(key) if key else None)
        assert "\n" not in str(caught.value)


def test_certificate_and_key_may_share_a_file(tmp_path: Path, authority: Authority) -> None:
    """As some tools write them."""
    made = authority.issue("page")
    both = tmp_path / "both.pem"
    both.write_text(made.certificate.read_text() + made.key.read_text())
    certificate = Certificate(str(both), None)
    before = certificate._newest
    certificate.refresh()
    assert certificate._newest is before
    os.utime(both, (1, 1))
    certificate.refresh()
    assert certificate._newest is not before


async def _name(port: int, tls: ssl.SSLContext) -> str:
    """Return the common name of the certificate that is served."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    try:
        subject = writer.get_extra_info("peercert")["subject"]
        return str(dict(pair for group in subject for pair in group)["commonName"])
    finally:
        writer.transport.abort()
