"""What a newcomer and every tool may rely on."""

import hashlib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def test_no_root_claims_the_namespace() -> None:
    """An `__init__.py` in any of the `fleetglass` folders would hide all the others."""
    assert not list(REPOSITORY.glob("*/fleetglass/__init__.py"))


def test_smoothie_is_as_published() -> None:
    """The vendored file is that of npm's smoothie 1.36.1, byte for byte."""
    smoothie = REPOSITORY / "dashboard" / "vendor" / "smoothie-1.36.1" / "smoothie.js"
    assert (
        hashlib.sha256(smoothie.read_bytes()).hexdigest()
        == "975a1ff731a0a6ad3df9f27d2ed9839bfeaa885cff67d515a0ab79e7045ba4b7"
    )
