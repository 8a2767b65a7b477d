"""A few pages as pictures, compared with those taken before: `pytest tests/dashboard/test_pictures.py --update-pictures`."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageOps
from playwright.sync_api import Browser, Page

from support.page import FakeBridge
from support.samples import MadeUpHost
from support.waiting import wait_for

pytestmark = pytest.mark.browser

NOW = 1_795_000_000.0
PICTURES = Path(__file__).parent / "pictures"
MAX_BYTES = 150_000
LEVELS_TOLERATED = 16
BITS_KEPT = 5
SHARE_TOLERATED = 0.001
COUNT_MESSAGES = """window.messages = []
const parse = JSON.parse
JSON.parse = (...given) => {
  const message = parse(...given)
  if (message?.type) messages.push(message.type)
  return message
}"""
DESKTOP = (1280, 860)
DRAW_FOREIGN_GLYPHS = """() => {
  const canvas = document.createElement("canvas")
  const context = canvas.getContext("2d")
  context.font = "16px monospace"
  context.fillText("◆▲●○↓↑▾✓", 2, 30)
  return canvas.toDataURL()
}"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A page, and what it looks like."""

    name: str
    address: str
    size: tuple[int, int] = DESKTOP
    scheme: str = "dark"
    lost: bool = False
    bridge_lost: bool = False


ALL = [
    Picture("fleet-dark", "/"),
    Picture("fleet-light", "/", scheme="light"),
    Picture("fleet-phone", "/", size=(390, 844)),
    Picture("host-dark", "/#/host/web-1"),
    Picture("host-light", "/#/host/web-1", scheme="light"),
    Picture("host-phone", "/#/host/web-1", size=(390, 844)),
    Picture("host-lost", "/#/host/web-1", lost=True),
    Picture("bridge-lost", "/", bridge_lost=True),
]


@pytest.fixture(scope="module")
def kept(browser: Browser, request: pytest.FixtureRequest) -> Path:
    """Give the folder with the pictures of this version of Chromium and these fonts: others draw text otherwise."""
    page = browser.new_page()
    # What the page's own fonts lack comes from those of the system.
    glyphs = hashlib.sha256(page.evaluate(DRAW_FOREIGN_GLYPHS).encode()).hexdigest()[:8]
    page.close()
    folder = PICTURES / f"chromium-{browser.version.partition('.')[0]}-{glyphs}"
    if request.config.getoption("--update-pictures"):
        folder.mkdir(parents=True, exist_ok=True)
    elif not folder.is_dir():
        pytest.skip(
            f"no pictures {folder.name}, of this Chromium and these fonts; --update-pictures takes them"
        )
    return folder


@pytest.fixture
def bridge() -> FakeBridge:
    """Give a bridge whose answers take no time, as far as the page can tell."""
    states = {"db-1": "late", "backup": "lost", "build-2": "stopped", "new": "waiting"}
    names = ("web-1", "web-2", "web-3", "db-1", "db-2", "cache", "build-1", "build-2", "backup", "new")
    hosts = [
        MadeUpHost(name, number, cores=4 << number % 4, sensors=number % 3 != 1)
        for number, name in enumerate(names)
    ]
    return FakeBridge(now=NOW, hosts=hosts, states=states, answers_pings=False)


@pytest.mark.parametrize("picture", ALL, ids=lambda picture: picture.name)
def test_a_page_looks_as_before(
    new_page: Callable[..., Page],
    bridge: FakeBridge,
    kept: Path,
    picture: Picture,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """At most one pixel in a thousand differs visibly from the picture that was kept."""
    width, height = picture.size
    page = new_page(
        viewport={"width": width, "height": height}, color_scheme=picture.scheme, reduced_motion="reduce"
    )
    show(page, bridge, picture)
    taken = tmp_path / f"{picture.name}.png"
    with Image.open(io.BytesIO(still(page))) as image:
        # Fewer levels make smaller files, and are finer than what is tolerated.
        ImageOps.posterize(image.convert("RGB"), BITS_KEPT).save(taken, optimize=True)
    before = kept / taken.name
    if request.config.getoption("--update-pictures"):
        assert taken.stat().st_size <= MAX_BYTES, f"{taken.stat().st_size} bytes: choose a smaller part"
        before.write_bytes(taken.read_bytes())
    share = difference(before, taken, tmp_path / f"{picture.name}-difference.png")
    assert share <= SHARE_TOLERATED, f"{100 * share:.2f} % of the pixels differ: see {tmp_path}"


def show(page: Page, bridge: FakeBridge, picture: Picture) -> None:
    """Open a page and bring it to a moment that is the same every time: its clock goes in steps."""
    page.add_init_script(COUNT_MESSAGES)
    bridge.attach(page)
    page.goto(picture.address)
    on_host = "host" in picture.address
    heard(page, "history", 1 if on_host else len([one for one in bridge.hosts if one.id != "new"]))
    for second in range(1, 4):
        bridge.tick()
        heard(page, "live" if on_host else "pulse", second)
    if picture.lost:
        bridge.set_state("web-1", "lost")
        heard(page, "host", 1)
    if picture.bridge_lost:
        # The next bridge answers nothing, so that the page goes on waiting for it.
        bridge.frozen = True
        bridge.cut()

        def has_dialled() -> bool:
            page.wait_for_timeout(20)
            return bridge.connections == 2

        wait_for(has_dialled, "the page dials again")
    page.clock.set_fixed_time(NOW + 6.5)
    page.evaluate("document.fonts.ready.then(() => undefined)")


def still(page: Page) -> bytes:
    """Return the picture once it has not changed for longer than the page takes to write its text anew."""
    seen = b""
    while seen != (now := page.screenshot(animations="disabled")):
        seen = now
        page.clock.run_for(1_200)
    return now


def heard(page: Page, kind: str, times: int) -> None:
    """Wait until so many messages of a type have come."""
    page.wait_for_function(
        "([kind, times]) => messages.filter((one) => one === kind).length >= times", arg=[kind, times]
    )


def difference(before: Path, after: Path, shown: Path) -> float:
    """Return the share of pixels that differ visibly, and draw them if there are too many."""
    with Image.open(before) as one, Image.open(after) as other:
        if one.size != other.size:
            return 1.0
        apart = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
        channels = [
            channel.point(lambda level: 255 * (level > LEVELS_TOLERATED)) for channel in apart.split()
        ]
        visible = ImageChops.lighter(ImageChops.lighter(channels[0], channels[1]), channels[2])
        share = visible.histogram()[255] / (visible.width * visible.height)
        if share > SHARE_TOLERATED:
            Image.composite(Image.new("RGB", one.size, "red"), other.convert("RGB"), visible).save(shown)
        return share
