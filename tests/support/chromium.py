"""A real browser for tests."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright


def find_chromium() -> str | None:
    """Return the path of a Chromium, if one is installed."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def find_headless_chromium() -> str | None:
    """Return the path of the Chromium for tests: without windows it takes half the CPU time."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell") or find_chromium()


@contextmanager
def running_chromium(program: str | None = None) -> Iterator[Browser]:
    """Run a browser that asks nothing of the network: `program`, or what `find_chromium` returns."""
    arguments = [
        "--hide-scrollbars",
        "--font-render-hinting=slight",  # without windows as with them
        "--force-color-profile=srgb",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program or find_chromium(), args=arguments)
        yield browser
        browser.close()
