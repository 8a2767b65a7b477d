from pathlib import Path

import pytest

from fleetglass.agent.readings.packages.package_updates import PackageUpdates, notified_updates

TEXTS = {
    "\n12 updates can be applied immediately.\n5 of these updates are standard security updates.\n"
    "To see these additional updates run: apt list --upgradable\n": (12, 5),
    "\nExpanded Security Maintenance for Applications is not enabled.\n\n"
    "1 update can be applied immediately.\n1 of these updates is a standard security update.\n\n"
    "3 additional security updates can be applied with ESM Apps.\n": (1, 1),
    "\n0 updates can be applied immediately.\n\n": (0, 0),
    "7 updates can be installed immediately.\n0 of these updates are security updates.\n": (7, 0),
}


@pytest.mark.parametrize(("text", "counts"), TEXTS.items())
def test_what_ubuntu_tells_who_logs_in_is_read(tmp_path: Path, text: str, counts: tuple[int, int]) -> None:
    """The wording of several releases; what is additional is not counted."""
    file = tmp_path / "var/lib/update-notifier/updates-available"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert notified_updates(str(tmp_path)) == PackageUpdates(*counts, round(file.stat().st_mtime, 3))


@pytest.mark.parametrize("text", [None, "", "12 Aktualisierungen können sofort angewendet werden.\n"])
def test_what_cannot_be_read_is_unknown(tmp_path: Path, text: str | None) -> None:
    """No file, nothing in it, or another language."""
    file = tmp_path / "var/lib/update-notifier/updates-available"
    if text is not None:
        file.parent.mkdir(parents=True)
        file.write_text(text)
    assert notified_updates(str(tmp_path)) is None
