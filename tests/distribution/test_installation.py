import shutil
import subprocess
from pathlib import Path

import pytest

from fleetglass.wire.version import VERSION
from support.machine import REPOSITORY, Machine, commands_of, missing_programs

PAGE = """
fleetglass up --port 8765 & up=$!
for attempt in $(seq 100); do
    python3 -c "
import urllib.request
print(urllib.request.urlopen('http://127.0.0.1:8765/').read().decode())" 2>/dev/null && break
    sleep 0.2
done
kill $up
wait $up
"""


pytestmark = pytest.mark.slow  # it downloads packages and installs them three times


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of wheels that the page on hosts without the Internet makes in a checkout."""
    if missing := missing_programs():
        pytest.skip(f"needs {missing}")
    machine = Machine(tmp_path_factory.mktemp("checkout"))
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--", ".", ":!tests", ":!docs", ":!bench"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, tracked.split("\0")):
        copy = machine.home / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, copy)
    (commands,) = commands_of("air-gapped.md", "checkout")
    done = machine.run(commands, online=True)
    if "No matching distribution" in done.stderr or "ConnectionError" in done.stderr:
        pytest.skip("needs an index of packages")
    assert done.returncode == 0, done.stderr
    (commands,) = commands_of("index.md", "checkout")
    done = machine.run(commands, online=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = machine.home.glob("dist/fleetglass-*.whl")
    assert wheel.read_bytes() == (machine.home / "wheels" / wheel.name).read_bytes()
    return machine.home / "wheels"


def test_a_host_without_the_internet(wheels: Path, tmp_path: Path) -> None:
    """The page's commands install from the folder alone, the page is served, and removal leaves nothing."""
    machine = Machine(tmp_path)
    shutil.copytree(wheels, machine.home / "wheels")
    (install,) = commands_of("air-gapped.md", "offline")
    done = machine.run(install)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"fleetglass {VERSION}\n")
    served = machine.run(PAGE, user_id=1000)
    assert served.returncode == 0, served.stderr
    assert "<title>" in served.stdout
    remove = commands_of("index.md", "machine")[-1]
    done = machine.run(f"{remove}\nrm -r wheels .local/state/fleetglass")
    assert done.returncode == 0, done.stderr
    assert {place: names for place, names in machine.left().items() if place != "/home"} == {}
    assert not [file for file in machine.home.rglob("*") if file.is_file()]


def test_several_hosts(wheels: Path, tmp_path: Path) -> None:
    """The broker's machine enrolls from the wheel, and a host is given its file where the agent finds it."""
    machine = Machine(tmp_path)
    (wheel,) = wheels.glob("fleetglass-*.whl")
    shutil.copy(wheel, machine.home)
    shutil.copytree(wheels, machine.home / "mirror")
    (broker,) = commands_of("ten-hosts.md", "machine")
    (host,) = commands_of("ten-hosts.md", "host")
    index = commands_of("index.md", "machine")
    mirror = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/home/mirror"}
    done = machine.run(broker, variables=mirror)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "etc" / "fleetglass" / "broker"
    assert {"mosquitto.conf", "service.conf", "ca.crt", "rules"} <= {file.name for file in folder.iterdir()}
    assert (folder / "readers" / "bridge.yaml").exists()
    shutil.copy(folder / "hosts" / "web-1.yaml", machine.home)
    done = machine.run(host, variables=mirror)
    assert done.returncode == 0, done.stderr
    configuration = tmp_path / "etc" / "fleetglass" / "fleetglass.yaml"
    assert configuration.stat().st_mode & 0o777 == 0o600
    assert not (machine.home / "web-1.yaml").exists()
    # The agent finds its file by itself: it says what it cannot reach.
    done = machine.run("fleetglass agent --forget")
    assert "mqtts://web-1@broker.example:8883" in done.stderr
    for commands in index:
        done = machine.run(commands, variables=mirror)
        assert done.returncode == 0, done.stderr
    assert set(machine.left()) == {"/home"}
