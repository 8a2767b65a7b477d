"""What a connection to a broker by TLS is made with, for every part. The one module here that reads files."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire.errors import CertificateError

if TYPE_CHECKING:
    import ssl

REPLACED_SECONDS: Final = 30.0
"""How often a connection asks whether its files were replaced."""


def tls_context(access: BrokerAccess) -> "ssl.SSLContext":
    """Return what a connection by TLS needs; certificate and host name of the broker are verified.

    Raises:
        CertificateError: a file is missing, or a file or text is not what it should be.
    """
    import ssl  # noqa: PLC0415 - 4 MiB that a plain connection does not need

    try:
        context = ssl.create_default_context(cafile=access.ca_file, cadata=access.ca)
    except (OSError, ValueError) as error:
        raise _unusable("ca_file", access.ca_file, "ca", error, "certificates in PEM") from error
    if not access.has_certificate:
        return context
    try:
        with (
            _file(access.certificate_file, access.certificate) as certificate,
            _file(access.key_file, access.private_key) as key,
        ):
            # Without a passphrase given here, the library asks on the terminal and waits.
            context.load_cert_chain(certificate or "", key, lambda: "")
    except (OSError, ValueError) as error:
        files = " and ".join(file for file in (access.certificate_file, access.key_file) if file) or None
        expected = "a certificate and its key in PEM, without a passphrase"
        names = ("certificate_file and key_file", "certificate and private_key")
        raise _unusable(names[0], files, names[1], error, expected) from error
    return context


class TlsFiles:
    """The files that a client's connections by TLS are made with; none for plain ones.

    Raises:
        CertificateError: one cannot be used, which is told before anything is tried.
    """

    def __init__(self, access: BrokerAccess) -> None:
        files: tuple[str | None, ...] = ()
        if access.url.tls:
            tls_context(access)
            files = (access.ca_file, access.certificate_file, access.key_file)
        self._names = [file for file in files if file is not None]
        self._times = self._read()
        self._due = 0.0

    def remember(self) -> None:
        """Take note: a connection is about to be made with the files as they are now."""
        self._times = self._read()

    def were_replaced(self) -> bool:
        """Return whether a file is another than for the last connection. A missing one is not."""
        times = self._read()
        return None not in times and times != self._times

    def were_replaced_by(self, now: float) -> bool:
        """Return as `were_replaced`, for who asks often: the files are looked at every `REPLACED_SECONDS`."""
        if now < self._due:
            return False
        self._due = now + REPLACED_SECONDS
        return self.were_replaced()

    def _read(self) -> list[int | None]:
        times: list[int | None] = []
        for name in self._names:
            try:
                times.append(os.stat(name).st_mtime_ns)  # noqa: PTH116 -- nothing else of a path is needed
            except OSError:
                times.append(None)
        return times


@contextlib.contextmanager
def _file(path: str | None, text: str | None) -> Iterator[str | None]:
    """Give a path; of a text that of a file which no other user sees and which is gone with the block."""
    if text is None:
        yield path
    elif hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("fleetglass")
        try:
            os.write(descriptor, text.encode())
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        descriptor, name = tempfile.mkstemp()
        try:
            os.write(descriptor, text.encode())
            yield name
        finally:
            os.close(descriptor)
            os.unlink(name)  # noqa: PTH108 - nothing else of a path is needed


def _unusable(
    file_key: str, file: str | None, text_key: str, error: Exception, expected: str
) -> CertificateError:
    if file is None:
        return CertificateError(f"{text_key}: not {expected}")
    reason = getattr(error, "strerror", None) or error
    return CertificateError(f"{file_key}: got {file}: {reason}, expected {expected}")
