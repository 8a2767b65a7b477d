import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.client.formatting.quantities import clock_time
from fleetglass.client.terminal.top.alerts import alerts_of
from fleetglass.client.terminal.top.drawing import width_of
from fleetglass.client.terminal.top.host_page import host_lines
from fleetglass.client.terminal.top.model import FleetModel
from fleetglass.wire.protocol import ExpectedFacts, Fleet, Host, HostEntry, LiveFrame
from support.samples import MadeUpHost
from support.scripted_source import fleet, live, pulses, raw, welcome

NOW = 1_795_000_000.0
WEB = MadeUpHost("web-1", 1)
STAMP = {"time": NOW, "tick": 1}


def model(host: MadeUpHost = WEB, **groups: Any) -> FleetModel:
    seen = FleetModel()
    seen.take(welcome(NOW), NOW)
    seen.take(fleet([host], NOW), NOW)
    seen.take(pulses([host], NOW), NOW)
    seen.take(live(host, NOW, **groups), NOW)
    return seen


def page(seen: FleetModel, width: int, *, by_memory: bool = False) -> list[str]:
    host = seen.hosts["web-1"]
    lines = host_lines(host, seen, alerts_of(host, seen), NOW, width, by_memory=by_memory)
    assert {width_of(line) for line in lines} == {width}
    return ["".join(text for text, _ in line) for line in lines]


@pytest.mark.parametrize("width", [20, 40, 77, 78, 79, 80, 100, 118, 160, 250])
def test_every_width(width: int) -> None:
    """Each line fills the width exactly, however many columns there are."""
    assert page(model(), width)


def test_page_at_80() -> None:
    """All that is asked of a host is there: who it is, cores, memory, swap, and a panel for each group."""
    text = "\n".join(page(model(), 80))
    for words in (
        "● live  Debian GNU/Linux 12 (bookworm) · 4 cores, 8 threads · 16.0 GiB",
        "192.168.7.11 · up 53 d 05:25 · Linux 6.1.0-18-amd64",
        "CPU ─",
        "MEMORY ─",
        "swap",
        "PROCESSES ─",
        "FILESYSTEMS ─",
        "NETWORK ─",
        "DISKS ─",
        "TEMPERATURES ─",
        "AGENT ─",
        "postgres",
        "/srv/data",
        "down: wlan0",
        "nvme1n1",
        "k10temp/Tctl",
        "of 85°/95°",
        "1180 rpm",
    ):
        assert words in text
    assert " 7 " in text


@pytest.mark.parametrize("width", [20, 80, 118])
def test_an_expected_host_that_was_not_heard(width: int) -> None:
    """It says since when it is waited for, and the notes of the list; there is no panel."""
    seen = FleetModel()
    seen.take(welcome(NOW), NOW)
    listed = ExpectedFacts(
        name="Shop", notes="Rack 3, unit 9.\nAsk Jane \x1b[2J before it is moved anywhere."
    )
    seen.take(
        Fleet(time=NOW, hosts=[HostEntry(id="web-1", state="waiting", since=NOW, expected=listed)]), NOW
    )
    lines = page(seen, width)
    text = "\n".join(line.rstrip() for line in lines)
    assert "\x1b" not in text
    assert "─" not in text
    if width > 20:
        assert f"has not reported yet  waited for since {clock_time(NOW)}" in text
        assert "\nRack 3, unit 9.\nAsk Jane" in text


def test_cores_keep_their_numbers() -> None:
    """Of a core that is switched off nothing comes, and the one after it is not called by its number."""
    cpu = STAMP | {"core_percents": [7.0, 20.0, 100.0], "core_numbers": [0, 1, 3]}
    [line] = [line for line in page(model(cpu=cpu), 80) if line.startswith(" 0 ")]
    assert line.split()[::3] == ["0", "1", "3"]


def test_of_many_cores_one_that_is_off_is_blank() -> None:
    """It keeps its place among the upright bars."""
    numbers = [number for number in range(40) if number != 2]
    cpu = STAMP | {"core_percents": [100.0] * 39, "core_numbers": numbers}
    [line] = [line for line in page(model(cpu=cpu), 80) if line.startswith("    0  ")]
    assert line.rstrip() == "    0  ██ " + "█" * 37


@pytest.mark.parametrize("numbers", [[0, 1], [0, 1, 1], [-1, 0, 1], [0, 1, 10**9]])
def test_numbers_that_no_core_has_are_ignored(numbers: list[int]) -> None:
    """The cores are then called by their place in the list."""
    cpu = STAMP | {"core_percents": [7.0, 20.0, 100.0], "core_numbers": numbers}
    [line] = [line for line in page(model(cpu=cpu), 80) if line.startswith(" 0 ")]
    assert line.split()[::3] == ["0", "1", "2"]


def test_many_cores() -> None:
    """More cores than fit as bars are upright bars, one cell each."""
    lines = page(model(MadeUpHost("web-1", 1, cores=128)), 80)
    at = next(place for place, line in enumerate(lines) if line.startswith("    0  "))
    assert len(lines[at].split()[1]) == 73
    assert lines[at + 1].startswith("   73  ")


def test_alerts_are_named() -> None:
    """What is wrong stands below who the host is."""
    lines = page(model(memory=WEB.live(NOW)["memory"] | {"used_percent": 97}), 80)
    assert "◆ memory 97 %" in lines[3]


def test_processes_by_memory() -> None:
    """The largest by memory are shown when asked for."""
    process = WEB.live(NOW)["process"]
    process["top_memory"] = [{"pid": 9, "name": "hog", "memory_percent": 80.0}]
    seen = model(process=process)
    assert "hog" not in "".join(page(seen, 80))
    assert "hog" in "".join(page(seen, 80, by_memory=True))


def test_who_uses_a_gpu() -> None:
    """Below each GPU its processes stand with user, work and memory."""
    process = {"pid": 7, "name": "python3", "user": "anna", "memory_bytes": 38 * 2**30, "busy_percent": 61.4}
    device = {"name": "A100", "processes": [process, {"pid": 4712}]}
    lines = page(model(WEB, gpu=STAMP | {"devices": {"0000:03": device}}), 80)
    assert any(re.search(r"anna: python3 +61 +38", line) for line in lines)
    assert any("pid 4712" in line for line in lines)


def test_the_network() -> None:
    """What is counted comes first; signal and errors have room in the narrowest column."""
    interfaces = {
        "br0": {"receive_bytes_per_second": 1, "in_total": False},
        "wlp2s0": {"receive_bytes_per_second": 1, "in_total": True, "signal_dbm": -61},
        "eth0": {"receive_bytes_per_second": 1, "in_total": True, "receive_errors_total": 7},
    }
    totals = {"receive_total_bytes": 3 * 1024**3, "transmit_total_bytes": 1024**3}
    text = "\n".join(page(model(network=STAMP | totals | {"interfaces": interfaces}), 80))
    assert "total ↓3.0G ↑1.0G" in text
    assert "-61 dBm" in text
    assert "7 errors" in text
    assert text.index("wlp2s0") < text.index("br0")


def test_the_main_address_comes_first() -> None:
    """Of many addresses, the one by which the host reaches others is shown first, and once."""
    addresses = {"docker0": ["172.17.0.1"], "eth0": ["192.0.2.9"], "lo": ["127.0.0.1"]}
    host = MadeUpHost("web-1", 1, changes={"addresses": addresses, "main_address": "192.0.2.9"})
    assert " 192.0.2.9 · 172.17.0.1 " in "\n".join(page(model(host), 250))


def test_groups_on_request() -> None:
    """GPU, battery, containers, units and own metrics have panels where the host sends them."""
    groups: dict[str, Any] = {
        "gpu": STAMP | {"devices": {"0000:03": {"name": "RX 7900", "busy_percent": 42, "power_watts": 120}}},
        "power": STAMP
        | {"batteries": {"BAT0": {"charge_percent": 77, "plugged": False, "left_seconds": 7200}}},
        "container": STAMP | {"containers": {"shop": {"state": "running", "cpu_percent": 3.5}}},
        "unit": STAMP
        | {
            "failed_count": 1,
            "failed": ["cron.service"],
            "units": {"ssh.service": {"active_state": "active"}},
        },
        "storage": STAMP
        | {
            "disks": {
                "sda": {"state": "standby", "health": "passed", "temperature_celsius": 31},
                "nvme0": {"state": "active", "health": "failed", "wear_percent": 104},
                "sdc": {"state": "unsupported"},
            },
            "arrays": {"md0": {"health": "degraded", "degraded_devices": 1}},
        },
        "custom-ups": STAMP | {"load_watts": 120, "level": 1.25, "mode": "line", "deep": {"x": 1}},
        "collector": STAMP | {"collectors": {"disk": {"state": "late", "reason": "slow"}}},
    }
    text = "\n".join(page(model(WEB, **groups), 80))
    for words in (
        "RX 7900",
        "120 W",
        "on battery 2 h left",
        "shop",
        "◆ cron.service",
        "ssh.service",
        "1 failed",
        "◆ nvme0",
        "104 % worn",
        "◆ md0",
        "lacks 1",
        "2 in trouble",
        "unsupported",
    ):
        assert words in text
    for words in ("CUSTOM-UPS ─", "load_watts", "1.25", "line", "▲ disk late: slow"):
        assert words in text
    assert "deep" not in text


def test_long_lists_are_cut() -> None:
    """A panel has so many rows, and says how many others there are."""
    disks = {f"sd{number}": {"busy_percent": 1.0} for number in range(100)}
    text = "\n".join(page(model(disk=STAMP | {"devices": disks}), 80))
    assert "and 76 more" in text
    assert "sd30 " not in text


def test_a_host_with_a_pulse_only() -> None:
    """Before its detail comes, the pulse fills what it can; absent values are dashes."""
    seen = model()
    seen.hosts["web-1"].groups.clear()
    lines = page(seen, 80)
    assert any(line.startswith("all ") for line in lines)
    assert any(line.startswith("used ") for line in lines)


TEXT = st.text(max_size=12)
NUMBER = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53))


@given(TEXT, NUMBER, st.sampled_from([40, 80, 130]))
def test_hostile_values(text: str, number: float, width: int) -> None:
    """Whatever a host says, each line keeps its width, and nothing in it is a command to the terminal."""
    seen = model()
    whole = round(number)
    samples: dict[str, Any] = {
        "filesystem": STAMP | {"mounts": {text: {"used_percent": number, "used_bytes": whole}}},
        "network": STAMP
        | {"interfaces": {text: {"receive_bytes_per_second": whole, "receive_errors_total": whole}}},
        "disk": STAMP | {"devices": {text: {"busy_percent": number, "read_bytes_per_second": whole}}},
        "sensor": STAMP | {"temperatures": {text: {"current_celsius": number, "high_celsius": number}}},
        "process": STAMP
        | {
            "count": whole,
            "states": {},
            "top_cpu": [{"pid": whole, "name": text, "cpu_percent": number}],
            "top_memory": [],
        },
        "power": STAMP | {"batteries": {text: {"charge_percent": number, "left_seconds": whole}}},
        "gpu": STAMP | {"devices": {text: {"busy_percent": number, "power_watts": number, "name": text}}},
        "unit": STAMP | {"failed_count": whole, "failed": [text], "units": {text: {"active_state": text}}},
        "storage": STAMP
        | {
            "disks": {text: {"model": text, "wear_percent": number, "temperature_celsius": number}},
            "arrays": {text: {"state": text, "degraded_devices": whole}},
        },
        "container": STAMP | {"containers": {text: {"state": text, "cpu_percent": number}}},
        "collector": STAMP
        | {"collectors": {text: {"state": "failed", "reason": text}}, "cpu_percent": number},
        "custom-x": STAMP | {text: number, "words": text},
    }
    seen.take(LiveFrame(host="web-1", samples={name: raw(one) for name, one in samples.items()}), NOW)
    seen.take(Host(id="web-1", info=raw({"host_name": text, "os_name": text, "tags": [text]})), NOW)
    assert seen.unreadable == 0
    assert all(line.isprintable() for line in page(seen, width))
