import re

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge, run_until

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("late", re.compile(r"^late, last sample \d+ s ago$")),
        ("lost", re.compile(r"^lost since \d\d:\d\d:\d\d$")),
        ("suspended", re.compile(r"^suspended for \d+ s$")),
        ("stopped", re.compile(r"^stopped at \d\d:\d\d:\d\d$")),
    ],
)
def test_a_host_in_trouble_stays_and_says_so(
    page: Page, bridge: FakeBridge, state: str, words: re.Pattern[str]
) -> None:
    """A host that is late, lost, suspended or stopped keeps its row and its page, which say it in words."""
    page.goto("/")
    expect(page.locator('tr[data-host="web-1"] .state-word')).to_have_text("live")
    bridge.set_state("web-1", state)
    expect(page.locator('tr[data-host="web-1"] .state-word')).to_have_text(words)
    page.locator('tr[data-host="web-1"] .host-link').click()
    expect(page.locator(".identity .state-word")).to_have_text(words)
    expect(page.locator(".host-heard")).to_have_text(re.compile(r"last sample \d+ s ago"))
    assert (
        float(page.locator('[data-panel="cpu"] canvas').first.evaluate("it => getComputedStyle(it).opacity"))
        < 0.6
    )
    bridge.set_state("web-1", "live")
    expect(page.locator(".identity .state-word")).to_have_text("live")


def test_a_host_never_heard_is_waiting(page: Page, bridge: FakeBridge) -> None:
    """A host that is only known by name is listed as waiting, with dashes for numbers."""
    bridge.states = {"web-2": "waiting"}
    page.goto("/")
    expect(page.locator('tr[data-host="web-2"] .state-word')).to_have_text("waiting for the first sample")
    expect(page.locator('tr[data-host="web-2"] .column-cpu .number')).to_have_text("—")


@pytest.mark.parametrize("away", ["bridge", "broker"])
def test_the_age_of_the_last_sample_counts_on(page: Page, bridge: FakeBridge, away: str) -> None:
    """While bridge or broker is away a host's state stays, and the fleet says how long ago it was heard."""
    page.goto("/")
    seen = page.locator('tr[data-host="web-1"] .column-seen .number')
    expect(seen).to_have_text("now")
    if away == "bridge":
        bridge.refuse = True
        bridge.cut()
    else:
        bridge.send("broker", state="connecting", since=bridge.now)
    bridge.stop_time()
    for tens in (1, 2):
        page.clock.fast_forward(7_000)
        words = re.compile(rf"^{tens}\d s ago$")
        run_until(page, lambda words=words: words.match(seen.inner_text()) is not None, words.pattern)  # type: ignore[misc]
    expect(page.locator('tr[data-host="web-1"] .state-word')).to_have_text("live")


def test_a_broker_that_is_away_is_said_in_a_bar(page: Page, bridge: FakeBridge) -> None:
    """While the bridge has no broker a bar says so and all data is dimmed; no host changes its state."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    expect(page.locator(".bar")).to_be_hidden()
    bridge.send("broker", state="connecting", since=bridge.now)
    expect(page.locator(".bar")).to_contain_text("The bridge lost its broker")
    expect(page.locator("tbody")).to_have_css("color", "rgb(169, 181, 180)")
    expect(page.locator('tr[data-host="web-1"] .state-word')).to_have_text("live")
    bridge.send("broker", state="connected", since=bridge.now)
    expect(page.locator(".bar")).to_be_hidden()


def test_a_site_that_is_cut_off_is_said_once(page: Page, bridge: FakeBridge) -> None:
    """A bar names it and since when; of its late hosts there is no alert, and what others show is not dimmed."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    bridge.send("broker", state="connected", since=bridge.now - 60, sites_away={"fleet/paris": bridge.now})
    bridge.send("host", id="web-1", state="late", since=bridge.now, cut_off=True)
    expect(page.locator(".bar")).to_have_text(
        re.compile(r"Cut off: fleet/paris since \d\d:\d\d:\d\d\. What is shown of its hosts is from before\.")
    )
    expect(page.locator('tr[data-host="web-1"] .state-word')).to_have_text(re.compile("^late"))
    expect(page.locator("tbody")).not_to_have_css("color", "rgb(169, 181, 180)")
    bridge.send("broker", state="connected", since=bridge.now - 60, sites_away={})
    expect(page.locator(".bar")).to_be_hidden()


def test_a_lost_bridge_is_said_in_a_bar_and_comes_back(page: Page, bridge: FakeBridge) -> None:
    """A broken connection is a bar that counts the attempts over dimmed data; the page comes back."""
    page.goto("/#/host/web-1")
    expect(page.locator('[data-panel="cpu"] dd').first).to_have_text(re.compile("%"))
    bridge.refuse = True
    bridge.cut()
    expect(page.locator(".bar")).to_have_text(
        re.compile(r"Connection to bridge lost, retrying(?: in \d+ s)? \(attempt [23]\).*")
    )
    expect(page.locator('[data-panel="cpu"] canvas').first).to_have_css("opacity", "0.55")
    bridge.stop_time()  # or the page could try by itself just before the click
    bridge.refuse = False
    page.get_by_role("button", name="Retry now").click()
    run_until(page, lambda: page.locator(".bar").is_hidden(), "the end of the bar")
    watches = bridge.messages("watch")
    assert watches[-1]["hosts"] == {"web-1": "*"}
    expect(page.locator(".link-chip")).to_have_text(re.compile(r"^live"))


def test_a_silent_bridge_is_told_before_it_is_given_up(page: Page, bridge: FakeBridge) -> None:
    """A bridge that hangs with its connection open is named within seconds, and everything looks old."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    bridge.stop_time()
    bridge.frozen = True
    page.clock.run_for(3_000)
    expect(page.locator(".link-chip")).to_contain_text("live")
    words = "The bridge has been silent for 6 s"
    run_until(page, lambda: words in page.locator(".bar").inner_text(), words)
    expect(page.locator("body")).to_have_attribute("data-link", "lost")
    expect(page.locator(".link-chip")).to_have_text("silent")
    bridge.frozen = False
    run_until(page, lambda: page.locator("body").get_attribute("data-link") == "ok", "an answer")


def test_garbage_from_the_socket_harms_nothing(page: Page, bridge: FakeBridge) -> None:
    """Frames that are no message, or hold what no host sends, are passed over; the next good one is shown."""
    page.goto("/")
    cell = page.locator('tr[data-host="web-1"] .column-cpu .number')
    expect(cell).to_have_text(re.compile("%"))
    for text in (
        "",
        "{",
        "[]",
        "null",
        '{"type":"pulse"}',
        '{"type":"live","host":"web-1"}',
        '{"type":"host","id":"__proto__"}',
    ):
        bridge.send_text(text)
    bridge.send(
        "pulse", time=bridge.now, hosts={"web-1": {"time": "now", "tick": 1}, "web-2": None, "Bad Id": {}}
    )
    bridge.send("live", host="web-1", samples={"cpu": 7, "constructor": {"time": 1, "tick": 1}})
    bridge.pulses["web-1"] = bridge.hosts[0].pulse(bridge.now + 1, cpu_percent=66.0)
    bridge.tick()
    expect(cell).to_have_text("66 %")
    expect(page.locator("tr[data-host]")).to_have_count(2)


def test_the_token_leaves_the_address(page: Page, bridge: FakeBridge) -> None:
    """A token in the link is sent in the hello, kept for the tab, and gone from the address at once."""
    page.goto("/#token=s3cret")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    assert "s3cret" not in page.url
    assert bridge.messages("hello")[0] == {"type": "hello", "protocol": 1, "token": "s3cret"}
    page.reload()
    expect(page.locator("tr[data-host]")).to_have_count(2)
    assert bridge.messages("hello")[-1]["token"] == "s3cret"


def test_a_slow_viewer_is_told(page: Page, bridge: FakeBridge) -> None:
    """A notice of the bridge is shown in its words."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    bridge.send("notice", code="slow", text="updates reduced")
    expect(page.locator(".bar")).to_contain_text("updates reduced")
