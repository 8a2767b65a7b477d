"""`/metrics`: the bridge's own numbers and the fleet's, for Prometheus.

A value of the fleet has the name that it has everywhere in Fleetglass, with `fleetglass_host_` before it:
so percent stays percent (0 to 100), and the names of MQTT, page and Prometheus are the same.
"""

import asyncio
import zlib
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec import UNSET
from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from fleetglass.bridge.loop_lag import LoopLag
from fleetglass.bridge.viewers.viewer import ViewerCounts
from fleetglass.fleet.arrivals import LATENCY_BOUNDS_SECONDS, Latencies
from fleetglass.fleet.known_host import KnownHost
from fleetglass.fleet.relay import Relay
from fleetglass.wire.codec import decode_text
from fleetglass.wire.payloads import Pulse
from fleetglass.wire.protocol import HostState

HOSTS_PER_SLICE = 50
"""After so many hosts others get their turn: about 1 ms."""
LINES_PER_SLICE = 1000
"""After so many lines are joined and compressed, likewise."""

_PULSE_NAMES = {"time": "pulse_timestamp_seconds", "process_count": "processes"}
"""Fields of a pulse that cannot keep their name: Prometheus has `_count` for histograms."""
_LEFT_OUT = {
    "tick",
    "session",
    "core_percents",
    "core_numbers",
}  # no values of a host, or too many series for one
_ARRIVALS = (
    ("age", "pulse_age_seconds", "age of the last pulse when it came, by two clocks"),
    ("latency", "pulse_latency_seconds", "what it took longer than the fastest of the last minute"),
    ("jitter", "pulse_jitter_seconds", "how much the way of one pulse differs from that of the next"),
    ("clock_offset", "clock_offset_seconds", "how far the host's clock is ahead of the bridge's"),
    ("received", "pulses_received_total", "pulses that came"),
    ("lost", "pulses_lost_total", "ticks of which no pulse came"),
    ("late", "pulses_late_total", "pulses that took an interval longer than the fastest"),
    ("duplicates", "pulses_duplicate_total", "pulses that came twice"),
    ("backfilled", "pulses_backfilled_total", "pulses that came by backfill"),
)
"""Attributes of `Arrivals`, and what they are called here."""
_STATES: tuple[HostState, ...] = ("live", "late", "lost", "suspended", "stopped", "waiting")
_GZIP = 16 + zlib.MAX_WBITS


class _Family(NamedTuple):
    """The values of all hosts under one name, and where they are found."""

    name: str
    help: str
    field: str

    @property
    def kind(self) -> str:
        return "counter" if self.name.endswith("_total") else "gauge"


_STATE = _Family("fleetglass_host_state", "1 for the state that a host is in", "state")
_EXPECTED = _Family("fleetglass_host_expected", "1 for a host on the list of expected hosts", "expected")
_UPKEEP = (
    _Family("fleetglass_host_pending_updates", "package updates that wait", "pending_updates"),
    _Family("fleetglass_host_security_updates", "those of them that fix security", "security_updates"),
    _Family("fleetglass_host_reboot_required", "1 for a host that asks for a reboot", "reboot_required"),
)


class Exposition(NamedTuple):
    """What a scrape gets."""

    content_type: str
    encoding: str | None
    body: bytes


class Metrics:
    """Answers scrapes, one after the other, in slices between which others run."""

    def __init__(self, relay: Relay, counts: ViewerCounts, lag: LoopLag, version: str) -> None:
        self._relay = relay
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Own(relay, counts, lag, version))
        ProcessCollector(registry=self._registry)
        self._turn = asyncio.Lock()
        self._pulse_families = _pulse_families()
        self._arrival_families = [_Family(f"fleetglass_host_{name}", text, f) for f, name, text in _ARRIVALS]

    async def expose(self, accept: str, *, gzip: bool) -> Exposition:
        """Return everything in the format that a scrape asks for, compressed if it takes that."""
        async with self._turn:
            return await self._expose(accept, gzip=gzip)

    async def _expose(self, accept: str, *, gzip: bool) -> Exposition:
        encode, content_type = choose_encoder(accept)
        open_metrics = content_type.startswith("application/openmetrics-text")
        compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP) if gzip else None
        relay = self._relay
        families = (_STATE, _EXPECTED, *_UPKEEP, *self._pulse_families, *self._arrival_families)
        lines: dict[str, list[str]] = {family.name: [] for family in families}
        for number, host in enumerate(list(relay.fleet)):
            if number % HOSTS_PER_SLICE == 0:
                await asyncio.sleep(0)
            with relay.errors.caught("exposing the numbers of a host"):
                self._add_host(lines, host)
        parts: list[bytes] = []
        for family in families:
            for start in range(0, len(lines[family.name]), LINES_PER_SLICE):
                head = _head(family, open_metrics=open_metrics) if start == 0 else ""
                piece = (head + "".join(lines[family.name][start : start + LINES_PER_SLICE])).encode()
                parts.append(compressor.compress(piece) if compressor is not None else piece)
                await asyncio.sleep(0)
        own = encode(self._registry)  # ends with the mark of the end, where the format has one
        if compressor is None:
            return Exposition(content_type, None, b"".join([*parts, own]))
        return Exposition(
            content_type, "gzip", b"".join([*parts, compressor.compress(own), compressor.flush()])
        )

    def _add_host(self, lines: dict[str, list[str]], host: KnownHost) -> None:
        # prometheus_client takes seven times as long for this. A host id needs no escaping, and the numbers
        # come out of JSON, which has neither NaN nor infinity.
        states = lines[_STATE.name]
        for state in _STATES:
            states.append(f'{_STATE.name}{{host="{host.id}",state="{state}"}} {host.state == state:d}\n')
        if host.expected is not None:
            lines[_EXPECTED.name].append(f'{_EXPECTED.name}{{host="{host.id}"}} 1\n')
        for field, value in host.upkeep:
            lines[f"fleetglass_host_{field}"].append(f'fleetglass_host_{field}{{host="{host.id}"}} {value}\n')
        if host.pulse is None or host.state != "live" or self._relay.broker != "connected":
            return
        label = f'{{host="{host.id}"}} '
        pulse = decode_text(host.pulse, Pulse)
        for name, _, field in self._pulse_families:
            if (value := getattr(pulse, field)) is not UNSET:
                lines[name].append(f"{name}{label}{value}\n")
        for name, _, field in self._arrival_families:
            # Nobody's clock tells more than tenths of milliseconds, and long fractions are dear to keep.
            lines[name].append(f"{name}{label}{round(getattr(host.arrivals, field), 4)}\n")


class _Own(Collector):
    """The numbers of the bridge itself."""

    def __init__(self, relay: Relay, counts: ViewerCounts, lag: LoopLag, version: str) -> None:
        self._relay = relay
        self._counts = counts
        self._lag = lag
        self._version = version

    def collect(self) -> Iterable[Metric]:
        """Return all of them as they are now."""
        relay, counts = self._relay, self._counts
        yield InfoMetricFamily("fleetglass_build", "the bridge's version", {"version": self._version})
        hosts = GaugeMetricFamily("fleetglass_hosts", "known hosts by state", labels=["state"])
        states = Counter(host.state for host in relay.fleet)
        for state in _STATES:
            hosts.add_metric([state], states[state])
        yield hosts
        sites = GaugeMetricFamily("fleetglass_site_connected", "whether the site is there", labels=["site"])
        for prefix, site in relay.fleet.sites.items():
            sites.add_metric([prefix], not site.is_cut_off)
        yield sites
        yield _latencies(relay.fleet.latencies)
        for name, text, value in (
            ("broker_connected", "whether the broker is there", relay.broker == "connected"),
            ("viewers", "viewers that are connected", len(relay.fanout)),
            ("watched_hosts", "hosts whose detail somebody watches", len(relay.fanout.watched_in_detail)),
            ("history_bytes", "memory that the history takes", relay.history.used_bytes),
            ("history_budget_bytes", "memory that the history may take", relay.history.budget_bytes),
            ("history_payloads", "payloads in the history", relay.history.payloads),
            ("event_loop_lag_seconds", "longest wait for the event loop in the last minute", self._lag.worst),
        ):
            yield GaugeMetricFamily(f"fleetglass_{name}", text, value)
        for name, text, value in (
            ("viewers_accepted", "viewers that were let in", counts.connected),
            ("viewers_refused", "viewers that were refused", counts.refused),
            ("viewers_closed_slow", "viewers closed because they read nothing", counts.slow_closed),
            ("messages_received", "messages that came from the broker", relay.received),
            ("messages_rejected", "messages dropped since they break the contract", relay.rejections.total),
            ("unexpected_errors", "errors that nobody foresaw, each in the log once", relay.errors.total),
            ("frames", "frames handed to viewers", relay.fanout.frames),
            ("frames_replaced", "frames that newer ones took the place of", relay.fanout.replaced),
        ):
            yield CounterMetricFamily(f"fleetglass_{name}", text, value)
        refused = CounterMetricFamily(
            "fleetglass_refused", "connections, requests and viewers that were refused", labels=["reason"]
        )
        for reason, count in sorted(counts.refusals.items()):
            refused.add_metric([reason], count)
        yield refused


def _latencies(latencies: Latencies) -> HistogramMetricFamily:
    buckets: list[tuple[str, float]] = []
    reached = 0
    for bound, count in zip([*map(str, LATENCY_BOUNDS_SECONDS), "+Inf"], latencies.counts, strict=True):
        reached += count
        buckets.append((bound, reached))
    return HistogramMetricFamily(
        "fleetglass_pulse_latency_seconds",
        "what pulses took longer than the fastest of their host in the last minute",
        buckets=buckets,
        sum_value=latencies.sum,
    )


def _head(family: _Family, *, open_metrics: bool) -> str:
    # OpenMetrics names the family of a counter without the end that its samples have.
    name = family.name.removesuffix("_total") if open_metrics else family.name
    return f"# HELP {name} {family.help}\n# TYPE {name} {family.kind}\n"


def _pulse_families() -> list[_Family]:
    fields = msgspec.json.schema(Pulse)["$defs"]["Pulse"]["properties"]
    return [
        _Family(f"fleetglass_host_{_PULSE_NAMES.get(field, field)}", said["description"], field)
        for field, said in fields.items()
        if field not in _LEFT_OUT
    ]
