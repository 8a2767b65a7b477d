import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser


def open_host(page: Page, query: str = "") -> None:
    page.goto(f"/#/host/web-1{query}")
    expect(page.locator('[data-panel="cpu"] dd').first).to_have_text(re.compile("%"))


def paused_second(page: Page) -> int:
    """Return the second of the day, which is in UTC, that the bar names."""
    # One look: while the page finds its bridge, the bar may say so in between.
    named = page.wait_for_function(
        r"""() => /^Paused at (\d\d):(\d\d):(\d\d)$/.exec(document.querySelector(".bar p")?.textContent)"""
    )
    _, hours, minutes, seconds = named.json_value()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def numbers(page: Page) -> list[str]:
    """Return all that the page says, and how long its meters are."""
    said: list[str] = page.evaluate(
        """() => [document.querySelector("main").innerText,
          ...[...document.querySelectorAll("main .meter-fill")].map((fill) => fill.style.transform)]"""
    )
    return said


def frames(page: Page) -> None:
    """Let the page write: whatever is written is written in the next frame."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_pause_stops_what_is_seen_and_nothing_else(page: Page, bridge: FakeBridge) -> None:
    """While paused an amber bar says since when, numbers stand still, and what came meanwhile is there at Resume."""
    bridge.hosts = [MadeUpHost("web-1", busy=20.0)]
    open_host(page)
    total = page.locator('[data-panel="cpu"] dd').first
    expect(total).to_have_text("20 %")
    page.keyboard.press("p")
    expect(page.locator(".bar p")).to_have_text(re.compile(r"^Paused at \d\d:\d\d:\d\d$"))
    expect(page.locator("body")).to_have_attribute("data-link", "paused")
    bridge.hosts[0].busy = 70.0
    bridge.tick()
    frames(page)
    expect(total).to_have_text("20 %")
    page.get_by_role("button", name="Resume").click()
    expect(total).to_have_text("70 %")
    expect(page.locator(".bar")).to_be_hidden()


@pytest.mark.parametrize("address", ["/", "/#/?view=grid", "/#/host/web-1", "/#/compare?hosts=web-1,web-2"])
def test_while_paused_everything_stands_still(page: Page, bridge: FakeBridge, address: str) -> None:
    """Whatever comes, and wherever the pointer goes, no number of a paused page changes; at Resume all is new."""
    page.goto(address)
    main = page.locator("main")
    figures = main.locator(".number, .reading dd, td")
    expect(figures.filter(has_text="%").first).to_be_visible()
    bridge.hosts[0].busy = 61.0
    bridge.tick()
    expect(figures.filter(has_text="61 %").first).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator(".bar p")).to_have_text(re.compile("^Paused at"))
    frames(page)
    before = numbers(page)
    for host in bridge.hosts:
        host.busy = 96.0
    for _ in range(3):
        bridge.tick(5)
        bridge.send("host", id="web-1", delivery={"latency_seconds": 0.5, "received_total": 77})
    bridge.send("history", host="web-1", samples=bridge.hosts[0].history(bridge.now, 30))
    bridge.send("notice", code="slow", text="updates reduced")
    canvas = main.locator("canvas").first
    canvas.hover()
    page.locator(".brand").hover()
    frames(page)
    assert numbers(page) == before
    bridge.set_state("web-2", "late")
    if "host" not in address:
        expect(main.get_by_text(re.compile(r"^late since \d\d:\d\d:\d\d$")).first).to_be_visible()
    page.keyboard.press("p")
    bridge.tick()
    expect(main.get_by_text("96 %").first).to_be_visible()


def test_a_link_to_a_moment_shows_its_numbers(
    page: Page, bridge: FakeBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Charts and numbers of such a link are those of its moment, and "—" where nothing was sampled until then."""
    young = bridge.now - 50
    host = bridge.hosts[0]
    past = host.history(bridge.now, 300)
    past["sensor"] = [one for one in past["sensor"] if one["time"] > young]
    monkeypatch.setattr(MadeUpHost, "history", lambda *_: past)
    page.goto(f"/#/host/web-1?pause={bridge.now - 99.5:.1f}")
    then = host.live(bridge.now - 100)
    total = page.locator('[data-panel="cpu"] dd').first
    expect(total).to_have_text(f"{then['cpu']['total_percent']:.0f} %")
    expect(page.locator('[data-panel="load"] dd').first).to_have_text(f"{then['cpu']['load_1m']:.2f}")
    expect(page.locator('[data-panel="temp"]')).to_contain_text("no sample of this moment")
    expect(page.locator(".host-heard")).to_have_text("last sample 0 s ago")
    expect(page.locator('[data-panel="delivery"] dd').first).to_have_text("0.5 s")
    host.busy = 77.0
    bridge.tick()
    page.keyboard.press("p")
    expect(total).to_have_text("77 %")


def test_a_moment_is_a_link(page: Page, bridge: FakeBridge) -> None:
    """A pause is in the address; whoever opens it sees that moment, with as much past as there is."""
    open_host(page)
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile(r"pause=\d+\.\d+$"))
    before = paused_second(page)
    bridge.tick(10)
    page.reload()
    assert paused_second(page) == before
    assert bridge.messages("watch")[-1]["history"] == 900
    page.keyboard.press("p")
    expect(page).not_to_have_url(re.compile("pause"))
    expect(page.locator(".bar")).to_be_hidden()


def test_a_moment_is_by_the_bridges_clock(page: Page, bridge: FakeBridge) -> None:
    """A link names a moment by the bridge's clock, so that it is the same moment for a browser whose clock is off."""
    bridge.now -= 3600
    moment = bridge.now - 100
    page.goto(f"/#/host/web-1?pause={moment:.1f}")
    near = "|".join(f"{datetime.fromtimestamp(moment + 3600 + off, UTC):%H:%M:%S}" for off in (-1, 0, 1))
    expect(page.locator(".bar p")).to_have_text(re.compile(f"^Paused at ({near})$"))


@pytest.mark.parametrize("ago", [901, -60])
def test_a_moment_that_is_not_kept_is_said_so(page: Page, bridge: FakeBridge, ago: float) -> None:
    """A link to a moment that is over, or still to come, says so and shows now."""
    page.goto(f"/#/host/web-1?pause={bridge.now - ago:.1f}")
    expect(page.locator(".bar p")).to_have_text(re.compile("^What this link shows, .* This is now.$"))
    expect(page).not_to_have_url(re.compile("pause"))
    expect(page.locator(".header-end .pause")).to_have_attribute("aria-pressed", "false")


def test_the_window_is_longer_or_shorter_by_key_and_in_the_address(page: Page) -> None:
    """`w` and `W` change the window between 1, 5 and 15 minutes; the address says it, and a link decides it."""
    open_host(page)
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("win=300"))
    page.keyboard.press("w")
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("win=900"))
    page.keyboard.press("W")
    expect(page).to_have_url(re.compile("win=300"))
    page.goto("/#/host/web-2?win=900")
    expect(page.get_by_role("button", name="15 min", exact=True)).to_have_attribute("aria-pressed", "true")


def test_trouble_is_told_before_the_pause(page: Page, bridge: FakeBridge) -> None:
    """A connection lost while paused is told in the bar; the header still shows that time stands still."""
    open_host(page)
    page.keyboard.press("p")
    expect(page.locator(".bar")).to_contain_text("Paused at")
    bridge.refuse = True
    bridge.cut()
    expect(page.locator(".bar")).to_contain_text("Connection to bridge lost")
    expect(page.locator(".header-end .pause")).to_have_attribute("aria-pressed", "true")
    bridge.refuse = False
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator(".bar")).to_contain_text("Paused at")
