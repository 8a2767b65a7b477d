"""Nothing that an agent can send may be invisible: every field of every payload is looked for on the page."""

import itertools
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
import pytest
from playwright.sync_api import Page, expect

from fleetglass.wire.payloads import GROUPS, Info
from fleetglass.wire.protocol import Delivery
from support.page import FakeBridge
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser

NOW = 1_795_000_000.0
STAMP = {"time", "tick"}
GIBI = 1024**3

PANELS = {
    "cpu": ("cpu", "cores", "load", "freq", "kernel", "psi"),
    "memory": ("mem", "psi"),
    "disk": ("disk", "psi"),
    "filesystem": ("fs",),
    "network": ("net",),
    "sensor": ("temp",),
    "power": ("power",),
    "gpu": ("gpu",),
    "process": ("proc",),
    "container": ("cont",),
    "unit": ("unit",),
    "storage": ("storage",),
    "collector": ("agent",),
    "info": ("info",),
}

# Sensors are named by their chip and label, of which the key is made; networks begin with their address.
REPEATED = ("sensor.temperatures (key)", "sensor.fans (key)", "info.addresses")

# What does not read as the end of its name says: the value, and how the page writes it.
SPECIAL: dict[str, tuple[Any, str]] = {
    "load_1m": (11.25, "11.25"),
    "load_5m": (12.5, "12.50"),
    "load_15m": (13.75, "13.75"),
    "plugged": (False, "on battery"),
    "left_seconds": (3723, "01:02:03"),
    "power_on_seconds": (400 * 86_400 + 3720, "400 d 01:02"),
    "duration_seconds": (0.00042, "420 µs"),
    "slept_seconds": (75.0, "75 s"),
    "clock_set_seconds": (-42.0, "42 s back"),
    "started_time": (NOW - 86_400, "2026-11-17 11:06:40"),
    "since_time": (NOW - 172_800, "2026-11-16 11:06:40"),
    "read_time": (NOW - 3600, "2026-11-18 10:06:40"),
    "updates_time": (NOW - 345_600, "2026-11-14 11:06:40"),
    "reboot_required": (True, "required"),
    "boot_time": (NOW - 259_200, "2026-11-15 11:06:40"),
    "time": (NOW, "2026-11-18 11:06:40"),
    "interval_seconds": (1.0, "1 s"),
    "speed_bytes_per_second": (312_500_000, "2.5 Gbit/s"),
    "up": (True, "up"),
    "signal_dbm": (-61, "-61 dBm"),
    "alarm": (True, "alarm"),
    "ups": (True, "UPS"),
    "to_full_seconds": (3784, "01:03:04"),
    "in_total": (False, "not in total"),
    "synthetic": (True, "simulated, not a real host"),
    "demand": (True, "yes, for more detail while somebody watches"),
    "conflict": ("other1", "other1"),
}


class Maker:
    """Makes values that are all different, and says how each must read."""

    def __init__(self) -> None:
        self._numbers = itertools.count(111)
        self.texts: list[tuple[str, str]] = []
        """The path of each field, and how its value must read."""

    def struct(self, kind: type, path: str) -> dict[str, Any]:
        """Return a payload with every field of a struct."""
        hints = typing.get_type_hints(kind, include_extras=True)
        names = [one.name for one in msgspec.structs.fields(kind)]
        return {
            name: self._value(name, hints[name], f"{path}.{name}")
            for name in names
            if name not in STAMP or path == "info"
        }

    def _value(self, name: str, hint: Any, path: str) -> Any:
        hint = _plain(hint)
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if name in SPECIAL:
            return self._noted(path, *SPECIAL[name])
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            return self.struct(hint, path)
        if origin is Literal:
            return self._noted(path, arguments[0], arguments[0])
        if origin is list:
            return [self._value(name, arguments[0], path)]
        if origin is dict:
            key = f"name{next(self._numbers)}"
            self.texts.append((f"{path} (key)", key))
            return {key: self._value(name, arguments[1], f"{path}.{key}")}
        if hint is str:
            word = f"word{next(self._numbers)}"
            return self._noted(path, word, word)
        return self._number(name, path)

    def _number(self, name: str, path: str) -> Any:
        number = next(self._numbers) % 1000
        small = 10 + number % 89
        if name.endswith("_bytes_per_second"):
            return self._noted(path, small * GIBI, f"{small}.0 GiB/s")
        if name.endswith("_bytes"):
            return self._noted(path, small * GIBI, f"{small}.0 GiB")
        if name.endswith("_per_second"):
            return self._noted(path, number, f"{number}/s")
        if name.endswith(("_percent", "_percents")):
            return self._noted(path, float(small), f"{small} %")
        if name.endswith("_celsius"):
            return self._noted(path, float(small), f"{small} °C")
        if name.endswith("_hertz"):
            return self._noted(path, small * 10**7, f"{small / 100:.2f} GHz")
        if name.endswith(("_watts", "_watt_hours", "_ampere_hours", "_volts")):
            return self._noted(path, small + 0.5, f"{small}.5")
        return self._noted(path, number, str(number))

    def _noted(self, path: str, value: Any, text: str) -> Any:
        self.texts.append((path, text))
        return value


def _plain(hint: Any) -> Any:
    """Return the type without its description and without "or absent"."""
    while typing.get_origin(hint) is Annotated:
        hint = typing.get_args(hint)[0]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return _plain(next(one for one in typing.get_args(hint) if one is not msgspec.UnsetType))
    return hint


@pytest.fixture
def everything() -> tuple[dict[str, Any], dict[str, Any], dict[str, list[tuple[str, str]]]]:
    """Give an info and live groups with every field, and how each must read, by group."""
    groups: dict[str, Any] = {}
    texts: dict[str, list[tuple[str, str]]] = {}
    for name, kind in GROUPS.items():
        maker = Maker()
        groups[name] = {"time": NOW, "tick": int(NOW)} | maker.struct(kind, name)
        texts[name] = maker.texts
    maker = Maker()
    info = maker.struct(Info, "info")
    info["groups"] = {name: {"interval_seconds": 1.0} for name in GROUPS}
    known = [one for one in maker.texts if not one[0].startswith("info.groups")]
    texts["info"] = known + [("info.groups", name) for name in GROUPS]
    return info, groups, texts


def test_every_field_of_every_payload_is_on_the_page(
    page: Page,
    bridge: FakeBridge,
    everything: tuple[dict[str, Any], dict[str, Any], dict[str, list[tuple[str, str]]]],
) -> None:
    """Whatever field an agent can send, the panel of its group shows its value in one of its views."""
    info, groups, texts = everything
    bridge.now = NOW
    bridge.history = False
    bridge.hosts = [MadeUpHost("web-1", changes=info)]
    page.goto("/#/host/web-1")
    expect(page.locator('[data-panel="cpu"]')).to_be_visible()
    bridge.send("live", host="web-1", samples=groups)
    expect(page.locator('[data-panel="proc"] tbody tr')).to_have_count(1)
    missing = []
    for group, fields in texts.items():
        shown = "\n".join(view for panel in PANELS[group] for view in views_of(page, panel))
        missing += [
            f"{path}: {text}" for path, text in fields if text not in shown and not path.startswith(REPEATED)
        ]
    assert missing == []


def views_of(page: Page, panel: str) -> Iterator[str]:
    """Give the text of a panel in each of its views, and as a table."""
    box = page.locator(f'[data-panel="{panel}"]')
    yield box.inner_text()
    for view in box.locator(".choice button").all():
        view.click()
        yield box.inner_text()
    table = box.locator(".panel-tools button")
    if panel == "cores":
        table.click()
        yield box.inner_text()


def test_every_field_of_delivery_is_on_the_page(page: Page, bridge: FakeBridge) -> None:
    """What the bridge tells about the delivery of a host's pulses is shown, each figure with its name."""
    told = Delivery(
        age_seconds=3.5,
        latency_seconds=0.0421,
        jitter_seconds=0.0073,
        clock_offset_seconds=-3.21,
        received_total=5123,
        lost_total=17,
        late_total=23,
        duplicate_total=5,
        backfilled_total=61,
    )
    expected = {
        "latency": "42.1 ms",
        "age at the bridge": "3.50 s",
        "jitter": "7.30 ms",
        "host's clock": "3.21 s behind",
        "received": "5\u202f123",
        "lost": "17",
        "late": "23",
        "duplicate": "5",
        "backfilled": "61",
    }
    assert len(expected) == len(msgspec.structs.fields(Delivery))
    page.goto("/#/host/web-1")
    panel = page.locator('[data-panel="delivery"]')
    expect(panel).to_contain_text("the bridge tells the rest every 5 s")
    bridge.send("host", id="web-1", delivery=msgspec.to_builtins(told))
    for name, text in expected.items():
        row = panel.locator("dl > div").filter(has=page.get_by_text(name, exact=True))
        expect(row.locator("dd")).to_have_text(text)
