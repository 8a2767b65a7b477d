"""The files that a connection by TLS is made with."""

import os

from fleetglass.mqtt.address import BrokerAccess


class TlsFiles:
    """The files that a connection by TLS is made with; none for a plain one."""

    def __init__(self, broker: BrokerAccess) -> None:
        files = (broker.ca_file, broker.certificate_file, broker.key_file) if broker.url.tls else ()
        self._names = [file for file in files if file is not None]
        self._times = self._read()

    def have_changed(self) -> bool:
        """Return whether a file changed since the last call. A missing file counts as unchanged."""
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
