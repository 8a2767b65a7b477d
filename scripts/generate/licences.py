"""The licences of what is shipped, installed and used for tests, as a page."""

import json
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

_SHIPPED = {
    "Fleetglass": ("MIT", "LICENSE"),
    "smoothie 1.36.1 (charts)": ("MIT", "dashboard/vendor/smoothie-1.36.1/LICENSE.txt"),
    "IBM Plex Sans and Mono (fonts)": ("OFL-1.1", "dashboard/fonts/LICENSE.txt"),
}
_NOT_EVERYWHERE = {"colorama": "BSD-3-Clause"}
"""What only some systems install."""

_SPDX = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


def page() -> str:
    """Return the page."""
    installed = locked("run")
    for_tests = sorted(set(locked("test")) - set(installed))
    packages = {name: license_of(name) for name in installed}
    test_packages = {name: license_of(name) for name in for_tests} | _node_packages()
    return "\n".join(
        [
            "# Licences",
            "",
            "`make generate` writes this page from the metadata of the packages.",
            "",
            "## In the wheel",
            "",
            "| what | licence | text |",
            "|---|---|---|",
            *(f"| {what} | {name} | [{file}](../{file}) |" for what, (name, file) in _SHIPPED.items()),
            "",
            "## Installed beside it, with all extras",
            "",
            *_table(packages),
            "",
            "## Only for tests",
            "",
            *_table(test_packages),
            "",
            "Home Assistant and pip-audit (both Apache-2.0), which tests ask, have their own environments.",
            "",
        ]
    )


def locked(name: str) -> list[str]:
    """Return the packages of a file of locked versions."""
    text = (REPOSITORY / "requirements" / f"{name}.txt").read_text("utf-8")
    return sorted(re.findall(r"^([\w.-]+)==", text, re.MULTILINE))


def license_of(name: str) -> str:
    """Return what a package says of its licence; empty when it says nothing."""
    if name in _NOT_EVERYWHERE:
        return _NOT_EVERYWHERE[name]
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return ""
    if expressions := told.get_all("License-Expression"):
        return str(expressions[0])
    known = [text.split(" :: ")[-1] for text in told.get_all("Classifier") or [] if "OSI Approved ::" in text]
    named = [_SPDX.get(text, text) for text in known] or told.get_all("License") or [""]
    return " OR ".join(named)


def shipped_files() -> Iterable[Path]:
    """Return the texts of the licences in the wheel."""
    return (REPOSITORY / file for _, file in _SHIPPED.values())


def _node_packages() -> dict[str, str]:
    told: dict[str, str] = {}
    for folder in ("dashboard", "deploy"):  # what is asked for; the locks name what comes with it
        lock = json.loads((REPOSITORY / "tests" / folder / "package-lock.json").read_text("utf-8"))[
            "packages"
        ]
        told |= {
            f"{name} (npm)": lock[f"node_modules/{name}"]["license"] for name in lock[""]["devDependencies"]
        }
    return told


def _table(packages: dict[str, str]) -> Iterator[str]:
    yield from ("| package | licence |", "|---|---|")
    for name, license_name in sorted(packages.items()):
        yield f"| {name} | {license_name} |"
