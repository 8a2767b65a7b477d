"""The certificate of the page: read at start, and again when its files change."""

import logging
import ssl
from pathlib import Path

from fleetglass.fleet.file_change import FileChange
from fleetglass.wire.errors import BridgeError

_log = logging.getLogger(__name__)


class Certificate:
    """Serves TLS with the newest certificate. Connections that are open keep theirs.

    Raises:
        BridgeError: the files cannot be used.
    """

    def __init__(self, certificate: str, key: str | None) -> None:
        self._certificate = certificate
        self._key = key
        self._change = FileChange(*(Path(name) for name in (certificate, key) if name))
        self._newest = _context(certificate, key)
        self.context = _context(certificate, key)
        """What a server is given."""
        self.context.sni_callback = self._choose

    def refresh(self) -> None:
        """Take what is in the files, if they were changed; keep the old when they cannot be used."""
        if not self._change.happened():
            return
        try:
            self._newest = _context(self._certificate, self._key)
        except BridgeError as error:
            _log.warning("%s; the old certificate stays in use", error)
        else:
            _log.info("certificate %s was read again", self._certificate)

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._newest


def _context(certificate: str, key: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for option, name in (("cert", certificate), ("key", key)):
        try:
            if name is not None:
                with Path(name).open("rb"):
                    pass
        except OSError as error:
            raise BridgeError(
                f"{option}: got {name!r} ({error.strerror}), expected a file in PEM that may be read"
            ) from error
    asked: list[str] = []

    def password() -> str:
        # Without this, the library asks on the terminal and waits.
        asked.append(certificate)
        return ""

    try:
        context.load_cert_chain(certificate, key, password)
    except (ssl.SSLError, ValueError) as error:
        if asked:
            problem = "a key with a passphrase, expected one without"
        elif getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            problem = "a key of another certificate, expected its own"
        else:
            problem = "something else than a certificate chain and its key, expected both in PEM"
        name = repr(certificate) if key is None else f"{certificate!r} and key {key!r}"
        raise BridgeError(f"cert: {name}: got {problem}") from error
    return context
