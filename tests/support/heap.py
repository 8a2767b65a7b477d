"""What a page keeps in memory once all garbage is gone."""

from dataclasses import dataclass

from playwright.sync_api import CDPSession, Page


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes of the JavaScript heap, nodes of the document and listeners, those of nothing else among them."""

    heap_bytes: int
    nodes: int
    listeners: int


class Heap:
    """The memory of one page, read from the browser."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")
        self._session.send("HeapProfiler.enable")

    def kept(self) -> Kept:
        """Collect garbage and return what is left."""
        # What the first round sets free may hold more.
        for _ in range(3):
            self._session.send("HeapProfiler.collectGarbage")
        metrics = {
            one["name"]: int(one["value"]) for one in self._session.send("Performance.getMetrics")["metrics"]
        }
        return Kept(metrics["JSHeapUsedSize"], metrics["Nodes"], metrics["JSEventListeners"])
