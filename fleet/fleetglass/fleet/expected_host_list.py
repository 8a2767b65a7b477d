"""The list of expected hosts of one process: as it was configured, and a file that is read again."""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

from fleetglass.fleet.expected_hosts import ExpectedHost, check_count, expected_hosts_of
from fleetglass.fleet.file_change import FileChange
from fleetglass.fleet.yaml_file import read_yaml
from fleetglass.wire.errors import ContractError

_log = logging.getLogger(__name__)


class ExpectedHostList:
    """The hosts that a user expects. For a host in both lists, `hosts` counts.

    Args:
        hosts: as they were configured.
        file: YAML file with such a list; `refresh` reads it again after it changed.

    Raises:
        ContractError: the file cannot be read or has bad items, each of which gives one line; or there are
            too many hosts.
    """

    def __init__(self, hosts: Iterable[ExpectedHost] = (), file: Path | None = None) -> None:
        self._configured = {host.id: host for host in hosts}
        self._file = file
        self._change = FileChange(file) if file else None
        self._is_changing = False
        self.hosts = self._read()
        """All of them, each once."""

    async def refresh(self) -> bool:
        """Read the file again if it changed before the last call and not since; whether the list is new.

        To be called every second: a file that is being written is left alone. A file that cannot be used is
        logged, and the old list stays.
        """
        if self._change is None:
            return False
        if self._change.happened():
            self._is_changing = True
            return False
        if not self._is_changing:
            return False
        self._is_changing = False
        try:
            hosts = await asyncio.to_thread(self._read)
        except ContractError as error:
            for line in error.args:
                _log.warning("%s; the old list stays in use", line)
            return False
        is_new = hosts != self.hosts
        self.hosts = hosts
        _log.info("expected hosts: %s was read again; expected now: %d", self._file, len(hosts))
        return is_new

    def _read(self) -> tuple[ExpectedHost, ...]:
        listed = {} if self._file is None else {host.id: host for host in _hosts_in(self._file)}
        hosts = tuple((listed | self._configured).values())
        check_count(len(hosts), "hosts and hosts_file")
        return hosts


def _hosts_in(file: Path) -> tuple[ExpectedHost, ...]:
    items = read_yaml(file, "hosts_file")
    try:
        return expected_hosts_of(items, "hosts_file")
    except ContractError as error:
        raise ContractError(*(f"{line} ({file})" for line in error.args)) from error
