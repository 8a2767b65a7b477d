import io
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.licenses import canonicalize_license_expression
from packaging.metadata import Metadata

from fleetglass.wire.version import VERSION

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = {"agent", "bridge", "cli", "client", "fleet", "history", "mqtt", "wire"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give wheel and source distribution, both built from the repository."""
    return build(REPOSITORY, tmp_path_factory.mktemp("dist"))


def build(source: Path, folder: Path) -> tuple[Path, Path]:
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def test_the_wheel_holds_the_programs_and_nothing_else(built: tuple[Path, Path]) -> None:
    """Every file of the rooms, of the page and of the broker's configuration is in it; no other is."""
    tracked = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    expected = set()
    for name in tracked.stdout.splitlines():
        first, _, rest = name.partition("/")
        if first in PARTS:
            expected.add(rest)
        elif first == "dashboard":
            expected.add(f"fleetglass/bridge/page/dashboard/{rest}")
        elif first == "mosquitto":
            expected.add(f"fleetglass/cli/mosquitto/{rest}")
    names = set(zipfile.ZipFile(built[0]).namelist())
    own = {name for name in names if not name.startswith(f"fleetglass-{VERSION}.dist-info/")}
    assert own == expected
    assert {f"fleetglass/{part}/py.typed" for part in PARTS} <= own
    assert {"fleetglass/bridge/page/dashboard/index.html", "fleetglass/cli/mosquitto/fleet.conf"} <= own


def test_every_extra_that_is_named_is_offered(built: tuple[Path, Path]) -> None:
    """What README and docs have pip install exists, and none is left unmentioned."""
    wheel = zipfile.ZipFile(built[0])
    metadata = Metadata.from_email(wheel.read(f"fleetglass-{VERSION}.dist-info/METADATA"), validate=True)
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]
    named = {
        extra
        for page in pages
        for extra in re.findall(r"""(?:\.|\.whl|fleetglass)\[(\w+)\]["']""", page.read_text("utf-8"))
    }
    index = (REPOSITORY / "docs" / "install" / "index.md").read_text("utf-8")
    assert named <= set(metadata.provides_extra or [])
    assert [extra for extra in metadata.provides_extra or [] if f"`{extra}` for " not in index] == []


def test_its_metadata_are_valid(built: tuple[Path, Path]) -> None:
    """An index would take it: every field is as specified, and all licences are with it."""
    wheel = zipfile.ZipFile(built[0])
    text = wheel.read(f"fleetglass-{VERSION}.dist-info/METADATA")
    metadata = Metadata.from_email(text, validate=True)
    assert (metadata.name, str(metadata.version)) == ("fleetglass", VERSION)
    assert metadata.license_expression == canonicalize_license_expression("MIT AND OFL-1.1")
    licences = {f"fleetglass-{VERSION}.dist-info/licenses/{name}" for name in metadata.license_files or []}
    assert licences <= set(wheel.namelist())
    assert {Path(name).parts[2] for name in licences} == {"LICENSE", "dashboard"}
    assert len(licences) == 3
    assert (metadata.description or "").startswith("# Fleetglass")


def test_every_build_is_the_same(built: tuple[Path, Path], tmp_path: Path) -> None:
    """Built again, and from its own source distribution, the wheel is the same to the last byte."""
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    again, source = build(tmp_path / f"fleetglass-{VERSION}", tmp_path / "dist")
    assert again.read_bytes() == built[0].read_bytes()
    assert source.read_bytes() == built[1].read_bytes()


def test_the_source_distribution_holds_no_more(built: tuple[Path, Path]) -> None:
    """It has what the wheel is built from, and what an index and a packager read."""
    with tarfile.open(fileobj=io.BytesIO(built[1].read_bytes())) as archive:
        first = {name.split("/")[1] for name in archive.getnames()}
    folders = {*PARTS, "dashboard", "mosquitto"}
    assert first == {
        *folders,
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "pyproject.toml",
    }
