"""What a newcomer and every tool may rely on."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def test_no_root_claims_the_namespace() -> None:
    """An `__init__.py` in any of the `fleetglass` folders would hide all the others."""
    assert not list(REPOSITORY.glob("*/fleetglass/__init__.py"))
