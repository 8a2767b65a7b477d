import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from support.page import FakeBridge
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser

NOW = 1_795_000_000.0


@pytest.fixture
def bridge() -> FakeBridge:
    return FakeBridge(
        now=NOW, hosts=[MadeUpHost("web-1", busy=50), MadeUpHost("web-2", number=1, busy=10, sensors=False)]
    )


def open_host(page: Page, address: str = "web-1", panel: str = "cpu") -> None:
    page.goto(f"/#/host/{address}")
    expect(panel_of(page, panel).locator("dd").first).to_have_text(re.compile(r"\d"))


def panel_of(page: Page, key: str) -> Locator:
    return page.locator(f'[data-panel="{key}"]')


def fold(page: Page, key: str) -> None:
    panel_of(page, key).locator(".panel-title button").click()


def watched(bridge: FakeBridge) -> Any:
    """Return the groups of the host that the page asks for now; none before it asks."""
    asked = bridge.messages("watch")
    return asked[-1]["hosts"]["web-1"] if asked else None


def send(bridge: FakeBridge, **samples: dict[str, Any]) -> None:
    """Send groups of a tick that is newer than all before."""
    bridge.pass_time(1)
    stamp = {"time": bridge.now, "tick": int(bridge.now)}
    bridge.send("live", host="web-1", samples={name: payload | stamp for name, payload in samples.items()})


def test_a_folded_panel_holds_nothing_and_asks_for_nothing(page: Page, bridge: FakeBridge) -> None:
    """Folding takes the chart out of the page and its group out of the selection; unfolding brings both back."""
    open_host(page)
    assert watched(bridge) == "*"
    fold(page, "net")
    expect(panel_of(page, "net").locator("canvas")).to_have_count(0)
    wait_for(page, lambda: watched(bridge) != "*")
    assert "network" not in watched(bridge)
    assert {"cpu", "memory", "disk", "collector"} <= set(watched(bridge))
    fold(page, "net")
    expect(panel_of(page, "net").locator("tr.picked")).to_have_count(2)
    wait_for(page, lambda: watched(bridge) == "*")
    assert "open=" not in page.url


def wait_for(page: Page, condition: Any) -> None:
    """Let the page go on until the condition holds."""
    for _ in range(100):
        if condition():
            return
        page.evaluate("new Promise((done) => setTimeout(done, 20))")
    raise AssertionError("it did not come to that")


def test_folds_are_remembered_for_their_host(page: Page) -> None:
    """A panel that was folded is so after a reload, and on no other host."""
    open_host(page)
    fold(page, "load")
    expect(panel_of(page, "load")).to_have_attribute("data-folded", "true")
    page.goto("/#/")
    page.reload()
    open_host(page)
    expect(panel_of(page, "load")).to_have_attribute("data-folded", "true")
    open_host(page, "web-2")
    expect(panel_of(page, "load").locator("canvas")).to_have_count(1)


def test_a_link_says_which_panels_are_open(page: Page, bridge: FakeBridge) -> None:
    """A page opened with a list of panels shows just these open, and asks for no more than they need."""
    open_host(page, "web-1?open=cpu,net")
    expect(panel_of(page, "net").locator("canvas")).to_have_count(2)
    expect(page.locator(".panel:not([data-folded])")).to_have_count(
        2 + page.locator('[data-trouble="absent"]:not([data-folded])').count()
    )
    wait_for(page, lambda: watched(bridge) == ["collector", "cpu", "network"])


def test_a_series_can_be_taken_out_and_stays_out(page: Page) -> None:
    """The entries of a legend are switches with their state, remembered over a reload."""
    open_host(page)
    system = panel_of(page, "cpu").get_by_role("button", name=re.compile("^system"))
    expect(system).to_have_attribute("aria-pressed", "true")
    wait_for(page, lambda: ink(page, "cpu", 0xF2, 0xB5, 0x2B) > 50)
    system.click()
    expect(system).to_have_attribute("aria-pressed", "false")
    wait_for(page, lambda: ink(page, "cpu", 0xF2, 0xB5, 0x2B) == 0)
    assert ink(page, "cpu", 0x6B, 0xCB, 0xFF) > 50
    page.reload()
    expect(system).to_have_attribute("aria-pressed", "false")


def ink(page: Page, key: str, red: int, green: int, blue: int) -> int:
    """Count the pixels near a colour on the first canvas of a panel."""
    found: int = page.evaluate(
        """([selector, red, green, blue]) => {
          const canvas = document.querySelector(selector)
          if (!canvas?.width || !canvas.height) return 0
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
          let count = 0
          for (let at = 0; at < data.length; at += 4) {
            const away = Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue)
            if (away < 40 && data[at + 3] > 120) count += 1
          }
          return count
        }""",
        [f'[data-panel="{key}"] canvas', red, green, blue],
    )
    return found


def test_the_devices_shown_are_remembered(page: Page) -> None:
    """A disk that was taken out of the chart, and the columns that were chosen, are so after a reload."""
    open_host(page)
    disk = panel_of(page, "disk")
    expect(disk.locator("tr.picked")).to_have_count(2)
    disk.get_by_role("button", name="nvme1n1").click()
    expect(disk.locator("tr.picked")).to_have_count(1)
    disk.get_by_role("button", name="since boot").click()
    expect(disk.locator("tbody tr").first).to_contain_text("373 GiB")
    page.reload()
    expect(disk.locator("tr.picked")).to_have_text([re.compile("^nvme0n1")])
    expect(disk.get_by_role("button", name="since boot")).to_have_attribute("aria-pressed", "true")


def test_a_panel_fills_the_page_and_goes_back(page: Page, bridge: FakeBridge) -> None:
    """`f` on a panel shows it alone, at its own address; the next host shows the same; Escape goes back to it."""
    open_host(page)
    page.keyboard.press("3")
    expect(panel_of(page, "net")).to_be_focused()
    page.keyboard.press("f")
    expect(page.locator(".panel")).to_have_count(1)
    assert page.url.endswith("#/host/web-1/net")
    assert panel_of(page, "net").bounding_box()["height"] > 600  # type: ignore[index]
    wait_for(page, lambda: watched(bridge) == ["collector", "network"])
    page.keyboard.press("]")
    expect(page.get_by_role("heading", level=1)).to_have_text("web-2")
    assert page.url.endswith("#/host/web-2/net")
    page.keyboard.press("Escape")
    expect(panel_of(page, "cpu")).to_be_visible()
    expect(panel_of(page, "net")).to_be_focused()
    assert page.url.endswith("#/host/web-2")


def test_keys_jump_to_panels_and_fold_them(page: Page) -> None:
    """The digits in the titles move the focus, the space bar folds what has it, and nothing else."""
    open_host(page)
    for digit, key in (("1", "cpu"), ("5", "fs"), ("7", "proc"), ("2", "mem")):
        page.keyboard.press(digit)
        expect(panel_of(page, key)).to_be_focused()
        expect(panel_of(page, key).locator(".digit")).to_have_text(digit)
    page.keyboard.press(" ")
    expect(panel_of(page, "mem")).to_have_attribute("data-folded", "true")
    expect(panel_of(page, "mem")).to_be_focused()
    page.keyboard.press(" ")
    expect(panel_of(page, "mem").locator("canvas").first).to_be_visible()
    expect(page.locator("[data-folded]")).to_have_count(0)


def test_a_panel_is_read_as_a_table(page: Page) -> None:
    """The last values of a chart are rows of a real table that goes on; the button takes it back."""
    open_host(page)
    panel = panel_of(page, "mem")
    panel.hover()
    panel.get_by_role("button", name="Memory and swap as table").click()
    table = panel.get_by_role("table").first
    expect(table.locator("thead th")).to_have_text(["time", "used", "cached", "buffers"])
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(60)
    expect(rows.last.locator("td").first).to_have_text(re.compile(r"GiB$"))
    expect(panel.locator("canvas").first).to_be_hidden()
    panel.get_by_role("button", name="Memory and swap as table").click()
    expect(panel.locator("canvas").first).to_be_visible()
    expect(panel.get_by_role("table")).to_have_count(0)


def test_what_a_host_lacks_is_small_and_at_the_end(page: Page, bridge: FakeBridge) -> None:
    """Groups that a host does not send stand in one line below all others until they come."""
    open_host(page)
    expect(panel_of(page, "gpu").locator(".note")).to_have_text("no GPU that can be read")
    assert panel_of(page, "gpu").bounding_box()["height"] < 60  # type: ignore[index]
    below = panel_of(page, "info").bounding_box()["y"]  # type: ignore[index]
    assert panel_of(page, "gpu").bounding_box()["y"] > below  # type: ignore[index]
    device = {"name": "RTX", "vendor": "NVIDIA", "busy_percent": 64.0, "memory_percent": 37.5}
    send(bridge, gpu={"devices": {"0000:03:00.0": device}})
    expect(panel_of(page, "gpu").locator("tbody tr")).to_contain_text("NVIDIA RTX")
    assert panel_of(page, "gpu").bounding_box()["y"] < panel_of(page, "info").bounding_box()["y"]  # type: ignore[index]


def test_who_uses_a_gpu(page: Page, bridge: FakeBridge) -> None:
    """The processes have a table below the GPUs, which is not there while nobody uses any."""
    open_host(page)
    device: dict[str, object] = {"name": "A100", "vendor": "NVIDIA", "index": 3, "busy_percent": 64.0}
    users = panel_of(page, "gpu").get_by_role("table", name="Processes that use GPUs")
    process = {"pid": 4711, "name": "python3", "user": "anna", "memory_bytes": 38 * 2**30}
    more = {"busy_percent": 61.6, "container": "trainer", "instance": "1/0"}
    send(bridge, gpu={"devices": {"0000:03:00.0": device | {"processes": [process | more, {"pid": 4712}]}}})
    expect(users.locator("tbody tr")).to_have_count(2)
    expect(users.locator("tbody tr").first).to_have_text(
        re.compile(r"python3\s*anna\s*3 1/0\s*38\.0 GiB\s*62 %\s*4711\s*trainer")
    )
    send(bridge, gpu={"devices": {"0000:03:00.0": device | {"processes": []}}})
    expect(users).to_be_hidden()


def test_a_group_that_falls_silent_looks_old(page: Page, bridge: FakeBridge) -> None:
    """A panel whose group no longer comes says since when and dims, while the others go on."""
    open_host(page)
    for _ in range(8):
        bridge.pass_time(1)
        samples = bridge.hosts[0].live(bridge.now)
        del samples["memory"]
        bridge.send("live", host="web-1", samples=samples)
    expect(panel_of(page, "mem").locator(".note")).to_have_text("last sample 8 s ago")
    expect(panel_of(page, "mem").locator("canvas").first).to_have_css("opacity", "0.55")
    expect(panel_of(page, "cpu").locator(".note")).to_be_hidden()
    expect(panel_of(page, "cpu").locator("canvas")).to_have_css("opacity", "1")
    send(bridge, memory=bridge.hosts[0].live(bridge.now)["memory"])
    expect(panel_of(page, "mem").locator(".note")).to_be_hidden()


def test_cores_are_shown_over_time_or_now(page: Page) -> None:
    """The heat map gives way to a bar for each core, which is remembered."""
    open_host(page)
    panel = panel_of(page, "cores")
    bars = panel.get_by_role("img", name="use of each core now")
    expect(bars).to_be_hidden()
    panel.get_by_role("button", name="bars").click()
    expect(bars).to_be_visible()
    expect(panel.get_by_role("img", name="use of each core over time")).to_be_hidden()
    page.reload()
    expect(bars).to_be_visible()


def test_cores_keep_their_numbers(page: Page, bridge: FakeBridge) -> None:
    """A core that is switched off keeps its place, and the busiest is called by its own number."""
    open_host(page)
    panel = panel_of(page, "cores")
    cpu = bridge.hosts[0].live(bridge.now)["cpu"]
    send(bridge, cpu=cpu | {"core_percents": [0.0, 20.0, 100.0], "core_numbers": [0, 1, 3]})
    expect(panel.locator("dd").first).to_have_text("3")
    expect(panel).to_contain_text("100 % (core 3)")
    expect(panel.locator(".axis-y span")).to_have_text(["core 0", "3"])
    panel.hover()
    panel.get_by_role("button", name="Per core as table").click()
    expect(panel.locator("tbody th, tbody td:first-child")).to_have_text(["0", "1", "2", "3"])
    expect(panel.locator("tbody tr").nth(2)).to_contain_text("off")


def test_the_parts_of_memory_are_the_whole_of_it(page: Page, bridge: FakeBridge) -> None:
    """Shared memory is used, though it lies in the page cache, and is not drawn a second time."""
    open_host(page)
    panel = panel_of(page, "mem")
    gibi = 1024**3
    memory = bridge.hosts[0].live(bridge.now)["memory"] | {
        "total_bytes": 64 * gibi,
        "available_bytes": 10 * gibi,
        "used_bytes": 54 * gibi,
        "free_bytes": gibi,
        "cached_bytes": 45 * gibi,
        "buffers_bytes": 2 * gibi,
        "shared_bytes": 40 * gibi,
    }
    send(bridge, memory=memory)
    for words in ("used 54.0 GiB", "cached 7.00 GiB", "buffers 2.00 GiB"):
        expect(panel).to_contain_text(words)


def test_many_cores_share_rows(page: Page, bridge: FakeBridge) -> None:
    """Of 96 cores two share a row of the heat map, and its labels say so."""
    bridge.hosts = [MadeUpHost("web-1", cores=96)]
    open_host(page)
    panel = panel_of(page, "cores")
    expect(panel.locator(".axis-y span")).to_have_text([re.compile("^core 0.1$"), re.compile("^94.95$")])
    expect(panel.locator("dd").first).to_have_text("96")


def test_processes_stand_still_under_the_pointer(page: Page, bridge: FakeBridge) -> None:
    """While the pointer is over the table its rows stay; after that they follow again."""
    open_host(page)
    panel = panel_of(page, "proc")
    panel.locator("tbody tr").first.hover()
    entry = {"pid": 4711, "name": "late-comer", "cpu_percent": 99.0}
    send(bridge, process={"count": 401, "states": {}, "top_cpu": [entry], "top_memory": []})
    expect(panel.locator(".quiet")).to_contain_text("401 processes")
    expect(panel.locator("tbody tr").first).to_contain_text("postgres")
    page.mouse.move(5, 5)
    send(bridge, process={"count": 402, "states": {}, "top_cpu": [entry], "top_memory": []})
    expect(panel.locator("tbody tr")).to_have_text([re.compile("^late-comer4711")])


def test_fields_of_one_unit_share_a_chart_up_to_their_limit(page: Page, bridge: FakeBridge) -> None:
    """A group of the user's own has a chart for each unit, with several lines, that ends at the limit declared."""
    fields = {"depth": {"unit": "jobs", "limit": 40}, "water_celsius": {"unit": "celsius"}}
    groups = bridge.hosts[0].info(NOW)["groups"] | {"custom-tank": {"interval_seconds": 1, "fields": fields}}
    bridge.hosts[0].changes = {"groups": groups}
    open_host(page)
    for _ in range(3):
        send(bridge, **{"custom-tank": {"a": {"depth": 12}, "b": {"depth": 7}, "water_celsius": 21.5}})
    panel = panel_of(page, "custom-tank")
    expect(panel.get_by_role("heading")).to_have_text("tank")
    expect(panel.locator("canvas")).to_have_count(2)
    panel.scroll_into_view_if_needed()
    expect(panel.locator(".axis-y span").first).to_have_text("40 jobs")
    both = panel.get_by_role("table").first.locator("tr.picked")
    expect(both).to_have_text(["a / depth12 jobs", "b / depth7 jobs"])
    panel.get_by_role("button", name="b / depth").click()
    expect(both).to_have_text(["a / depth12 jobs"])


def test_only_as_many_lines_as_there_are_colours(page: Page, bridge: FakeBridge) -> None:
    """Of nine sensors the seven hottest are drawn; another gets a line only when one was taken out."""
    open_host(page)
    temperatures = {
        f"chip/s{place}": {"chip": "chip", "label": f"s{place}", "current_celsius": 30.0 + place}
        for place in range(9)
    }
    send(bridge, sensor={"temperatures": temperatures})
    panel = panel_of(page, "temp")
    expect(panel.locator("tr.picked")).to_have_count(7)
    expect(panel.locator("tr:not(.picked) th[scope=row]")).to_have_text(["chip s0", "chip s1"])
    panel.get_by_role("button", name="chip s0").click()
    expect(panel.locator("tr.picked")).to_have_count(7)
    panel.get_by_role("button", name="chip s8").click()
    expect(panel.locator("tr.picked")).to_have_count(6)
    panel.get_by_role("button", name="chip s0").click()
    expect(panel.locator("tr.picked")).to_have_count(7)
    expect(panel.locator("tr:not(.picked) th[scope=row]")).to_have_text(["chip s1", "chip s8"])


def test_two_chips_of_one_name_can_be_told_apart(page: Page, bridge: FakeBridge) -> None:
    """Both disks are named with their device; an alarm stands beside the sensor that has it."""
    open_host(page)
    disk = {"chip": "nvme", "label": "Composite", "current_celsius": 40.0}
    names = ("nvme-nvme0/Composite", "nvme-nvme1/Composite")
    send(bridge, sensor={"temperatures": dict(zip(names, (disk, disk | {"alarm": True}), strict=True))})
    expect(panel_of(page, "temp").locator("tbody th")).to_have_text(
        ["nvme-nvme0 Composite", "nvme-nvme1 Composite, alarm"]
    )


def test_what_holds_a_processor_back_is_said(page: Page, bridge: FakeBridge) -> None:
    """A Raspberry Pi that is throttled says why, now and since boot, among its sensors and its alerts."""
    open_host(page)
    send(
        bridge,
        sensor={"temperatures": {}, "throttling": {"now": ["under-voltage"], "since_boot": ["throttled"]}},
    )
    expect(panel_of(page, "temp").locator(".held")).to_have_text(
        "processor held back: under voltage · since boot: throttled"
    )
    expect(panel_of(page, "alerts").locator("li")).to_contain_text("held back")


def test_alerts_and_changes_of_state_are_listed(page: Page, bridge: FakeBridge) -> None:
    """What needs attention is a list of words; what state the host got into since is listed with its time."""
    open_host(page)
    panel = panel_of(page, "alerts")
    expect(panel).to_contain_text("nothing needs attention")
    expect(panel).to_contain_text("no change of state since this page was opened")
    memory = bridge.hosts[0].live(bridge.now)["memory"]
    send(bridge, memory=memory | {"used_percent": 97.0})
    expect(panel.locator("li")).to_have_text(["criticalmemory 97 %"])
    bridge.set_state("web-1", "late")
    bridge.set_state("web-1", "live")
    expect(panel.locator("tbody td")).to_have_text(["live", "late"])


def test_the_network_panel_draws_what_is_in_the_total(page: Page, bridge: FakeBridge) -> None:
    """What is in the total is drawn, whatever its name; Wi-Fi tells its signal, and the host's sums are told."""
    open_host(page)
    interfaces = {
        "wlp2s0": {"receive_bytes_per_second": 2048, "in_total": True, "signal_dbm": -61},
        "lan": {"receive_bytes_per_second": 2048, "in_total": False},
    }
    sums = {"receive_bytes_per_second": 3072, "receive_total_bytes": 1024**3, "transmit_total_bytes": 1024**2}
    send(bridge, network=sums | {"interfaces": interfaces})
    panel = panel_of(page, "net")
    expect(panel.locator("tr.picked")).to_have_text([re.compile(r"^wlp2s0.*-61 dBm")])
    expect(panel.locator(".reading.large dd").first).to_have_text("2.00 KiB/s")
    expect(panel).to_contain_text("all networks: received 3.00 KiB/s, 1.00 GiB since boot · sent")
    panel.get_by_role("button", name="lan").click()
    expect(panel.locator(".reading.large dd").first).to_have_text("4.00 KiB/s")


def test_the_plate_begins_with_the_main_address(page: Page, bridge: FakeBridge) -> None:
    """The address by which the host reaches others comes first; all are told with network and MAC below."""
    changes = {
        "addresses": {"docker0": ["172.17.0.1"], "eth0": ["192.0.2.9"]},
        "networks": {"docker0": ["172.17.0.1/16"], "eth0": ["192.0.2.9/24"]},
        "mac_addresses": {"eth0": "02:00:00:00:00:09"},
        "main_address": "192.0.2.9",
    }
    bridge.hosts[0].changes.update(changes)
    open_host(page)
    expect(page.locator('[data-fact="address"] dd')).to_have_text("192.0.2.9  172.17.0.1")
    for words in ("192.0.2.9/24", "02:00:00:00:00:09"):
        expect(panel_of(page, "info")).to_contain_text(words)


def test_the_plate_says_who_the_host_is(page: Page) -> None:
    """System, processor, cores, memory, address, times and agent stand below the name, the age counting up."""
    open_host(page)
    plate = {
        "system": "Debian GNU/Linux 12 (bookworm)",
        "kernel": "Linux 6.1.0-18-amd64",
        "processor": "AMD EPYC 7302P 16-Core Processor",
        "cores": "4, 8 threads",
        "memory": "8.00 GiB",
        "address": "192.168.7.10",
        "up": "52 d 05:25",
        "agent": "0.1.0",
        "clock": "in step",
        "last sample": "0 s ago",
    }
    for name, text in plate.items():
        expect(page.locator(f'[data-fact="{name}"] dd')).to_have_text(text)
    expect(page.locator(".tags")).to_have_text("rack-3, web")
    page.clock.set_fixed_time(NOW + 7)
    expect(page.locator('[data-fact="last sample"] dd')).to_have_text("7 s ago")


def test_a_phone_opens_what_matters_most(new_page: Any, bridge: FakeBridge) -> None:
    """On a phone only CPU, memory and network are open and asked for, nothing is wider than the screen."""
    page = new_page(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True)
    bridge.attach(page)
    open_host(page)
    expect(page.locator(".panel-line.open .panel")).to_have_count(3)
    assert watched(bridge) == ["collector", "cpu", "memory", "network"]
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    fold(page, "disk")
    expect(panel_of(page, "disk").locator("tr.picked")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("width", [1280, 1440, 1920])
def test_rows_have_no_holes(new_page: Any, bridge: FakeBridge, width: int) -> None:
    """The panels of a row reach from edge to edge and are of one height, and nothing scrolls sideways."""
    page = new_page(viewport={"width": width, "height": 900})
    bridge.attach(page)
    open_host(page)
    rows = page.locator(".panel-line.open").evaluate_all(
        """(rows) => rows.map((row) => {
          const cells = [...row.children].map((cell) => cell.getBoundingClientRect())
          const bottoms = [...row.children].map((cell) => Math.round(cell.lastElementChild.getBoundingClientRect().bottom))
          return { full: Math.round(cells.at(-1).right - cells[0].left) === Math.round(row.getBoundingClientRect().width),
                   even: new Set(bottoms).size === 1 }
        })"""
    )
    assert len(rows) > 5
    assert all(row == {"full": True, "even": True} for row in rows)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_an_unknown_panel_is_said_in_words(page: Page, bridge: FakeBridge) -> None:
    """An address of a panel that the host does not have says so, until a group of that name comes."""
    page.goto("/#/host/web-1/custom-tank")
    expect(page.locator(".panels .nothing")).to_have_text('This host has no panel "custom-tank".')
    wait_for(page, lambda: watched(bridge) == "*")
    send(bridge, **{"custom-tank": {"depth": 12}})
    expect(panel_of(page, "custom-tank").locator("tbody tr")).to_have_text(["depth12"])
    expect(page.locator(".panels .nothing")).to_be_hidden()
    wait_for(page, lambda: watched(bridge) == ["collector", "custom-tank"])


def test_only_groups_that_can_exist_are_asked_for(page: Page, bridge: FakeBridge) -> None:
    """What a host tells as a group and is no name of one gets no panel, and never spoils the selection."""
    groups = bridge.hosts[0].info(NOW)["groups"] | {
        "<b>group</b>": {"interval_seconds": 1},
        "custom-tank": {},
    }
    bridge.hosts[0].changes = {"groups": groups}
    open_host(page)
    expect(panel_of(page, "custom-tank")).to_be_attached()
    fold(page, "net")
    wait_for(page, lambda: "custom-tank" in watched(bridge))
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", group) for group in watched(bridge))
    expect(page.locator(".panel", has_text="<b>")).to_have_count(1)  # the list of the host's facts


def test_a_processor_that_stays_busy_is_told_for_as_long_as_it_is(page: Page, bridge: FakeBridge) -> None:
    """That the processors are busy is judged by their detail, too, since a host's page hears no pulses."""
    bridge.hosts = [MadeUpHost("web-1", busy=99.0)]
    page.goto("/#/host/web-1")
    alerts = page.locator(".alerts")
    expect(alerts).to_contain_text("CPU 99 %, busy over 60 s")
    bridge.hosts[0].busy = 97.0
    for _ in range(5):
        bridge.tick()
    expect(alerts).to_contain_text("CPU 97 %, busy over 60 s")
    bridge.hosts[0].busy = 20.0
    bridge.tick()
    expect(page.get_by_text("nothing needs attention")).to_be_visible()
