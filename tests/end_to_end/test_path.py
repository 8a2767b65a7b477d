"""The page where a proxy serves it under a path of its own."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.mosquitto import Mosquitto
from support.ports import free_port
from support.programs import Fleetglass, wait_for_page
from support.proxies import SECRET, running_login, running_proxy

pytestmark = [pytest.mark.broker, pytest.mark.browser]


def test_the_page_works_under_a_path(mosquitto: Mosquitto, prefix: str, page: Page, tmp_path: Path) -> None:
    """Behind nginx at `/fleet/`, the page finds its files and its stream, and needs no token."""
    port = free_port()
    words = ("--broker", mosquitto.url, "--prefix", prefix)
    secret = tmp_path / "proxy-secret"
    secret.write_text(SECRET + "\n")
    trust = ("--trusted-proxy", "--proxy-user-header=X-Forwarded-User", f"--proxy-secret-file={secret}")
    with (
        Fleetglass("agent", *words, "--host-id", "real-1", home=tmp_path),
        Fleetglass("bridge", *words, "--port", str(port), *trust, home=tmp_path),
        running_login() as login,
    ):
        wait_for_page(port)
        with running_proxy("nginx", "forward-auth", tmp_path, bridge=port, login=login.port) as proxy:
            address = f"http://127.0.0.1:{proxy}/fleet/"
            page.context.add_cookies([{"name": "login", "value": "ada", "url": address}])
            page.goto(address)
            expect(page.locator('a[href="#/host/real-1"]')).to_be_visible()
