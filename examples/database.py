"""Keep what hosts tell in SQLite, and ask for the last hours of it.

python examples/database.py fleet.db                    # writes until Ctrl-C
python examples/database.py fleet.db --show-hours 2     # prints the means of the last two hours
"""

import argparse
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fleetglass.client import DEFAULT_URL, MonitoringClient

SCHEMA = """
create table if not exists samples
    (timestamp text not null, server text not null, cpu real, ram real, disk real, gpu real);
create index if not exists samples_by_time on samples (timestamp);
"""


class Database:
    """A handler that writes each message as a row; what a host does not tell is null.

    It is used by one thread at a time, that of the client's handlers.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("pragma journal_mode = wal")  # so that others can read meanwhile
        self._connection.executescript(SCHEMA)
        self.rows = 0

    def handle_message(self, message: Mapping[str, Any]) -> None:
        """Write one message."""
        uses = (
            message["data"].get(section, {}).get("usage_percent")
            for section in ("processor", "memory", "disk", "gpu")
        )
        row = (message["timestamp"], message["host"], *uses)
        self._connection.execute("insert into samples values (?, ?, ?, ?, ?, ?)", row)
        self.rows += 1

    def last_hours(self, hours: float) -> list[tuple[Any, ...]]:
        """Return of each server its name, its rows, and the means of cpu, ram, disk and gpu."""
        since = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="milliseconds")
        return self._connection.execute(
            "select server, count(*), avg(cpu), avg(ram), avg(disk), avg(gpu) from samples"
            " where timestamp >= ? group by server order by server",
            (since,),
        ).fetchall()

    def get_stats(self) -> dict[str, int]:
        """Return how many rows were written."""
        return {"rows": self.rows}

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def main() -> None:
    """Read the arguments, then write or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("hosts", nargs="*", help="hosts to keep (default: the whole fleet)")
    parser.add_argument("--url", default=DEFAULT_URL)
    parser.add_argument("--duration", type=float, help="seconds (default: until Ctrl-C)")
    parser.add_argument("--show-hours", type=float)
    arguments = parser.parse_intermixed_args()
    with closing(Database(arguments.file)) as database:
        if arguments.show_hours is not None:
            for server, rows, *means in database.last_hours(arguments.show_hours):
                print(server, rows, *("-" if mean is None else f"{mean:.1f}" for mean in means), sep="\t")
            return
        with MonitoringClient(
            arguments.url,
            hosts=arguments.hosts,
            sync_mode=True,
            on_error=lambda error: print("error:", error),
        ) as client:
            client.add_custom_handler("monitoring_data", database)
            client.start()
            with suppress(KeyboardInterrupt):
                client.wait(arguments.duration)


if __name__ == "__main__":
    main()
