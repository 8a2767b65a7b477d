"""What a connection by TLS needs, from the files that the user named."""

import os
from typing import TYPE_CHECKING

from fleetglass.agent.errors import AgentError
from fleetglass.wire import BrokerAccess

if TYPE_CHECKING:
    import ssl


def tls_context(broker: BrokerAccess) -> "ssl.SSLContext":
    """Return what a connection by TLS needs.

    Raises:
        AgentError: a file is missing, or is not what it should be.
    """
    import ssl  # noqa: PLC0415 - 4 MiB that a plain connection does not need

    try:
        context = ssl.create_default_context(cafile=broker.ca_file)
    except OSError as error:
        raise _unusable("ca_file", broker.ca_file, error, "a file with CA certificates in PEM") from error
    if broker.certificate_file is not None:
        try:
            context.load_cert_chain(broker.certificate_file, broker.key_file)
        except OSError as error:
            files = broker.certificate_file + (f" and {broker.key_file}" if broker.key_file else "")
            expected = "a certificate and its key in PEM"
            raise _unusable("certificate_file and key_file", files, error, expected) from error
    return context


class TlsFiles:
    """The files that a connection by TLS is made with; none for a plain one."""

    def __init__(self, broker: BrokerAccess) -> None:
        files = (broker.ca_file, broker.certificate_file, broker.key_file) if broker.url.tls else ()
        self._names = [file for file in files if file is not None]
        self._times = self._read()

    def have_changed(self) -> bool:
        """Return whether any is another one than at the last look. A file that is missing waits."""
        times = self._read()
        if None in times or times == self._times:
            return False
        self._times = times
        return True

    def _read(self) -> list[int | None]:
        times: list[int | None] = []
        for name in self._names:
            try:
                times.append(os.stat(name).st_mtime_ns)  # noqa: PTH116 -- nothing else of a path is needed
            except OSError:
                times.append(None)
        return times


def _unusable(key: str, file: str | None, error: OSError, expected: str) -> AgentError:
    return AgentError(f"{key}: got {file}: {error.strerror or error}, expected {expected}")
