import hashlib
import re

from support.page import DASHBOARD

SMOOTHIE = DASHBOARD / "vendor" / "smoothie-1.36.1"
SHA256 = "975a1ff731a0a6ad3df9f27d2ed9839bfeaa885cff67d515a0ab79e7045ba4b7"


def test_smoothie_is_unmodified() -> None:
    """The vendored file is byte for byte the published one, with its licence beside it."""
    assert hashlib.sha256((SMOOTHIE / "smoothie.js").read_bytes()).hexdigest() == SHA256
    assert "MIT" in (SMOOTHIE / "LICENSE.txt").read_text()
    assert SHA256 in (DASHBOARD / "vendor" / "README.md").read_text()


def test_the_page_has_no_inline_code_or_style() -> None:
    """The page has no inline script, handler or style that a strict policy would leave out."""
    html = (DASHBOARD / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html)
