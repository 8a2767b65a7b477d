"""The panel of disks, arrays and pools."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from support.page import FakeBridge
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser

NOW = 1_795_000_000.0


def panel_with(page: Page, bridge: FakeBridge, **storage: Any) -> Locator:
    bridge.now = NOW
    bridge.hosts = [MadeUpHost("web-1")]
    page.goto("/#/host/web-1")
    expect(page.locator('[data-panel="cpu"]')).to_be_visible()
    message = {"time": NOW, "tick": int(NOW)} | storage
    bridge.send("live", host="web-1", samples={"storage": message})
    return page.locator('[data-panel="storage"]')


def test_trouble_comes_first_and_only_a_failure_is_red(page: Page, bridge: FakeBridge) -> None:
    """A warning is yellow; a disk that sleeps or has no SMART is nothing to look at."""
    disks = {
        "sda": {"state": "standby", "health": "passed"},
        "sdb": {"state": "unsupported", "reason": "Unknown USB bridge"},
        "sdc": {"state": "active", "health": "passed", "warnings": ["spare-low"]},
        "sdd": {"state": "active", "health": "failed"},
    }
    panel = panel_with(page, bridge, disks=disks)
    expect(panel.get_by_role("rowheader")).to_have_text(["sdd", "sdc", "sda", "sdb"])
    expect(panel.locator('[data-level="critical"]')).to_have_text(["failed"])
    expect(panel.locator('[data-level="warn"]')).to_have_text(["passed, spare-low"])
    expect(panel.get_by_role("table", name="Arrays and pools")).to_be_hidden()


def test_errors_are_named_where_there_are_any(page: Page, bridge: FakeBridge) -> None:
    """A disk that counts none shows one 0, one that does not count a dash."""
    disks = {
        "sda": {"reallocated_sectors": 8, "pending_sectors": 0, "interface_errors": 3},
        "sdb": {"reallocated_sectors": 0},
        "sdc": {},
    }
    panel = panel_with(page, bridge, disks=disks)
    errors = panel.get_by_role("table", name="Disks").locator("tbody tr td:nth-child(7)")
    expect(errors).to_have_text(["8 reallocated · 3 interface", "0", "—"])


def test_arrays_say_what_they_lack_and_what_runs(page: Page, bridge: FakeBridge) -> None:
    """A host without disks that tell anything still has its arrays."""
    arrays = {
        "md0": {"health": "ok", "devices": 2, "degraded_devices": 0},
        "zfs/tank": {
            "health": "degraded",
            "devices": 4,
            "degraded_devices": 1,
            "sync_action": "resilver",
            "sync_percent": 12.5,
        },
    }
    panel = panel_with(page, bridge, disks={}, arrays=arrays)
    expect(panel.get_by_role("rowheader")).to_have_text(["zfs/tank", "md0"])
    expect(panel.locator("tbody tr").first).to_contain_text("4, lacks 1resilver 13 %")
    expect(panel.locator('[data-level="critical"]')).to_have_text(["degraded"])
    expect(panel.get_by_role("table", name="Disks")).to_be_hidden()
