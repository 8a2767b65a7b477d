"""Own metrics of the user, read in the background; imported only where they are asked for."""

from pathlib import Path

from fleetglass.agent.collectors.background import BackgroundCollector
from fleetglass.agent.readings.custom import CustomSource, SourceReader, find_sources
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import Custom

_LOOK_SECONDS = 5.0


class CustomFolder(BackgroundCollector):
    """Looks into a folder now and then; each file in it has a collector, as long as it is there.

    It has no message of its own, but what is wrong with the folder or its files is its failure.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__("custom", _LOOK_SECONDS, self._look)
        self._folder = folder
        self._collectors: dict[CustomSource, BackgroundCollector] = {}

    def _look(self) -> None:
        try:
            sources, problems = find_sources(self._folder)
        except CollectionError:
            self._keep([])
            raise
        self._keep(sources)
        if problems:
            # A reason is cut off where it gets long: the number says how many more there are.
            number = [f"{len(problems)} files cannot be used"] if len(problems) > 1 else []
            raise CollectionError("; ".join([*number, *problems]))

    def _keep(self, sources: list[CustomSource]) -> None:
        before = self._collectors
        self._collectors = {source: before.get(source) or source_collector(source) for source in sources}
        self.members = list(self._collectors.values())
        for source, collector in before.items():
            if source not in self._collectors:
                collector.close()


def source_collector(source: CustomSource) -> BackgroundCollector:
    """Return the collector of one file."""
    reader = SourceReader(source)

    def read() -> Custom | None:
        values, fields = reader()
        return Custom(time=0, tick=0, values=values, fields=fields) if values else None

    return BackgroundCollector(source.group, source.interval, read, cancel=reader.cancel)
