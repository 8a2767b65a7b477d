import http.client
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from peers.peer import MissingError, Output, Peer, Scraper

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from support.ports import free_port


class NodeExporter(Peer):
    """prometheus-node-exporter with its default collectors.

    It is scraped over one kept connection, without compression: Prometheus itself asks for gzip,
    which doubles what the exporter spends.
    """

    name = "node-exporter"
    delivery = "HTTP, scraped once per second"

    def __init__(self, folder: Path, broker_port: int) -> None:
        super().__init__(folder, broker_port)
        self._http = http.client.HTTPConnection("127.0.0.1", free_port(), timeout=5)
        self._scraper = Scraper(self._scrape)
        self._scrapes: list[bytes] = []

    def command(self) -> Sequence[str]:
        """Let it listen on a free port, and nothing else."""
        program = shutil.which("prometheus-node-exporter")
        if program is None:
            raise MissingError("apt-get install prometheus-node-exporter")
        return [program, f"--web.listen-address=127.0.0.1:{self._http.port}"]

    def listen(self) -> None:
        """Scrape from now on."""
        self._scraper.start()

    def close(self) -> None:
        """Stop scraping."""
        self._scraper.stop()
        self._http.close()

    def output(self) -> Output:
        """Count the samples: every line that is no comment."""
        return Output(
            len(self._scrapes),
            sum(not line.startswith(b"#") for text in self._scrapes for line in text.splitlines()),
            sum(map(len, self._scrapes)),
        )

    def _scrape(self) -> None:
        try:
            self._http.request("GET", "/metrics")
            text = self._http.getresponse().read()
        except http.client.HTTPException:
            self._http.close()
            return
        except OSError:
            self._http.close()
            raise
        self.gave_something.set()
        if self.counting:
            self._scrapes.append(text)
