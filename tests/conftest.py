import itertools
import logging
import re
import signal
import socket
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Error, expect

from support.chromium import find_headless_chromium, running_chromium
from support.home_assistant import find_home_assistant
from support.mosquitto import Mosquitto, find_mosquitto
from support.waiting import PATIENCE_SECONDS

_numbers = itertools.count()

expect.set_options(timeout=1000 * PATIENCE_SECONDS)

# How long an example takes depends on what else the machine does; a hanging test meets its timeout.
settings.register_profile("fleetglass", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=2_000)
settings.load_profile("fleetglass")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what is published now as golden")
    parser.addoption(
        "--update-pictures", action="store_true", help="take the page's pictures as they are now"
    )


def pytest_configure() -> None:
    # In the background of a shell Ctrl-C is ignored, below nohup SIGHUP: also by programs that tests start.
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Playwright's synchronous API keeps an event loop in the main thread, and asyncio tests cannot run beside
    # it. So the files with browser tests come last: in every process, as xdist hands out files in this order.
    # The longest come first, lest one process runs alone in the end.
    browser = {item.path for item in items if item.get_closest_marker("browser")}
    lengths = Counter(item.path for item in items)
    items.sort(
        key=lambda item: (
            item.path in browser,
            item.get_closest_marker("browser") is not None,
            -lengths[item.path] if item.path in browser else 0,
        )
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("broker") and find_mosquitto() is None:
        pytest.skip("needs mosquitto: apt-get install mosquitto")
    if item.get_closest_marker("home_assistant") and find_home_assistant() is None:
        pytest.skip("needs Home Assistant: scripts/install-home-assistant")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    browser = item.funcargs.get("browser") if isinstance(item, pytest.Function) else None
    if report.failed and report.when == "call" and isinstance(browser, Browser):
        for page in [page for context in browser.contexts for page in context.pages]:
            picture = Path(tempfile.mkstemp(".png", "page-")[1])
            try:
                page.screenshot(path=picture)
            except Error as error:  # of a page that hangs, or is gone
                report.sections.append(("page", f"no picture: {error}"))
            else:
                report.sections.append(("page", str(picture)))
    return report


@pytest.fixture(autouse=True)
def kept_logging() -> Iterator[None]:
    """Give the log back as it was: a command that runs within a test sets it up for a process of its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give the browser that all tests of a process share; each test uses a context of its own."""
    program = find_headless_chromium()
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium-headless-shell")
    with running_chromium(program) as browser:
        yield browser


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Give the broker that all tests share; each test uses a prefix of its own."""
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto")).start()
    yield broker
    broker.kill()


@pytest.fixture
def own_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """Give a broker that the test may kill, freeze and start again."""
    broker = Mosquitto(tmp_path).start()
    yield broker
    broker.kill()


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """Give a topic prefix that no other test uses."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:40].strip("-")
    return f"test/{name}-{next(_numbers)}"


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Give a port of 127.0.0.1 on which a program listens that is no broker and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
