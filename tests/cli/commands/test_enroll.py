"""`fleetglass enroll` on a folder; what its broker then allows is tried in `tests/mosquitto`."""

import json
import os
import re
import shutil
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from fleetglass.cli.commands import enroll
from fleetglass.cli.enrollment import folder as folders
from fleetglass.cli.main import main
from fleetglass.fleet.expected_host_list import ExpectedHostList
from fleetglass.fleet.expected_hosts import ExpectedHost

Enroll = Callable[..., int]
URL = "mqtts://broker.example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "broker"


@pytest.fixture
def call(folder: Path) -> Enroll:
    return lambda *words: main(["enroll", *words, "--folder", str(folder)])


def test_first_call(folder: Path, call: Enroll, capsys: pytest.CaptureFixture[str]) -> None:
    """It makes all a broker needs, one file for each host and reader, and says what to do next, in order."""
    assert call("web-1", "web-2", "--bridge", "--home-assistant", "--reader", "laptop", "--broker", URL) == 0
    made = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert made - {".lock", "fleet.json", "service.conf"} == {
        *("mosquitto.conf", "users", "rules", "revoked.pem", "ca.crt", "ca.key", "broker.pem"),
        *("hosts/web-1.yaml", "hosts/web-2.yaml"),
        *("readers/bridge.yaml", "readers/home-assistant.yaml", "readers/laptop.yaml"),
    }
    out = capsys.readouterr().out
    steps = [
        f"mosquitto -c {folder}/mosquitto.conf",
        f"scp {folder}/hosts/web-1.yaml web-1:",
        "sudo install -D -m 600 web-1.yaml /etc/fleetglass/fleetglass.yaml",
        "sudo fleetglass service install agent",
        f"fleetglass bridge --config {folder}/readers/bridge.yaml",
        "broker broker.example, port 8883, user reader.home-assistant",
        f"fleetglass watch --config {folder}/readers/laptop.yaml",
    ]
    assert [out.index(step) for step in steps] == sorted(out.index(step) for step in steps)
    assert "listener 8883\n" in (folder / "mosquitto.conf").read_text()


def test_what_a_host_is_given(folder: Path, call: Enroll) -> None:
    """One file with address, prefix, authority, credential and host id, whatever they look like to YAML."""
    call("123", "--broker", f"{URL},mqtts://192.0.2.1", "--prefix", "0x10")
    call("db-1", "--certificate")
    by_password = yaml.safe_load((folder / "hosts/123.yaml").read_text())
    assert by_password["broker"] == "mqtts://123@broker.example:8883,mqtts://123@192.0.2.1:8883"
    assert (by_password["prefix"], by_password["agent"]) == ("0x10", {"host_id": "123"})
    assert set(by_password) == {"broker", "prefix", "password", "ca", "agent"}
    assert by_password["ca"] == (folder / "ca.crt").read_text()
    by_certificate = yaml.safe_load((folder / "hosts/db-1.yaml").read_text())
    assert by_certificate["broker"] == "mqtts://broker.example:8884,mqtts://192.0.2.1:8884"
    assert set(by_certificate) == {"broker", "prefix", "ca", "certificate", "private_key", "agent"}


def test_without_discovery(folder: Path, call: Enroll, capsys: pytest.CaptureFixture[str]) -> None:
    """No host has a right below homeassistant/ any more, old ones included, until it is given back."""
    call("web-1", "--home-assistant", "--broker", URL)
    assert (folder / "rules").read_text().count("homeassistant") == 3
    assert call("--no-discovery") == 0
    assert "hosts may not describe themselves to Home Assistant" in capsys.readouterr().out
    assert re.findall(".*homeassistant.*", (folder / "rules").read_text()) == [
        "topic readwrite homeassistant/#"
    ]
    assert call("web-2") == 0
    assert "may not" not in capsys.readouterr().out
    agents = [yaml.safe_load((folder / f"hosts/web-{one}.yaml").read_text())["agent"] for one in (1, 2)]
    assert agents == [{"host_id": "web-1"}, {"host_id": "web-2", "home_assistant": False}]
    assert (folder / "rules").read_text().count("homeassistant") == 1
    assert call("--discovery") == 0
    assert (folder / "rules").read_text().count("homeassistant") == 5


def test_without_discovery_from_the_first_call(folder: Path, call: Enroll) -> None:
    """It may be said where the broker is made."""
    call("web-1", "--broker", URL, "--no-discovery")
    assert "homeassistant" not in (folder / "rules").read_text()


def test_nobody_else_can_read_it(folder: Path, call: Enroll, capfd: pytest.CaptureFixture[str]) -> None:
    """No file is for every user, what is handed over is for its owner alone, and no secret is printed."""
    call("web-1", "--broker", URL)
    call("web-2", "--certificate")
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0, path
    for name in ("ca.key", "fleet.json", "hosts", "hosts/web-1.yaml", "hosts/web-2.yaml"):
        assert stat.S_IMODE((folder / name).stat().st_mode) & 0o077 == 0, name
    secret = yaml.safe_load((folder / "hosts/web-1.yaml").read_text())["password"]
    printed = "".join(capfd.readouterr())
    assert secret not in printed
    assert "PRIVATE" not in printed
    assert secret not in (folder / "users").read_text() + (folder / "fleet.json").read_text()


@pytest.mark.parametrize("umask", [0, 0o077, 0o777])
def test_folders_on_the_way(tmp_path: Path, umask: int) -> None:
    """Whatever the umask, nobody else may change a folder that is made; those above can be entered.

    What is made is for its owner to use: under 0777 as well.
    """
    place = tmp_path / "etc/fleetglass/broker"
    before = os.umask(umask)
    try:
        assert main(["enroll", "web-1", "--broker", URL, "--folder", str(place)]) == 0
    finally:
        os.umask(before)
    assert [stat.S_IMODE(one.stat().st_mode) for one in (place.parent, place.parent.parent)] == [0o755] * 2
    for path in [place, *place.rglob("*")]:
        needed = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) & (0o027 | needed) == needed, path


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_may_change(
    folder: Path, call: Enroll, capsys: pytest.CaptureFixture[str], mode: int
) -> None:
    """Where others could put a key of their own in place of the fleet's, or a link, none is made."""
    folder.mkdir()
    folder.chmod(mode)
    (folder / "state").symlink_to(folder.parent)
    assert call("web-1", "--broker", URL) == 1
    assert "which another user may change; expected a folder of your own" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["state"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder to another user")
def test_a_folder_of_another_user(folder: Path, call: Enroll, capsys: pytest.CaptureFixture[str]) -> None:
    """Root makes no authority where another user could take its place."""
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    assert call("web-1", "--broker", URL) == 1
    assert "which another user may change" in capsys.readouterr().err
    assert not list(folder.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder to another user")
def test_a_folder_below_one_of_another_user(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Root makes no authority below a home: its owner could put a folder of their own in its place."""
    home = tmp_path / "alice"
    home.mkdir(mode=0o755)
    os.chown(home, 12345, 12345)
    assert main(["enroll", "web-1", "--broker", URL, "--folder", str(home / "fleet" / "broker")]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert f"folder: got {home} on the path, which another user may change, expected" in line
    assert not list(home.iterdir())


def test_a_folder_that_became_changeable(
    tmp_path: Path, call: Enroll, capsys: pytest.CaptureFixture[str]
) -> None:
    """A later call looks again: no right is given where others may put a folder of theirs."""
    call("web-1", "--broker", URL)
    tmp_path.chmod(0o777)
    assert call("web-2") == 1
    assert f"folder: got {tmp_path} on the path" in capsys.readouterr().err
    assert call("--revoke", "web-1") == 1


def test_nothing_is_overwritten(folder: Path, call: Enroll, capsys: pytest.CaptureFixture[str]) -> None:
    """A host that is enrolled already keeps its credential; nor is anybody else of the same call enrolled."""
    call("web-1", "--broker", URL)
    before = (folder / "hosts/web-1.yaml").read_text()
    assert call("web-2", "web-1") == 1
    error = capsys.readouterr().err
    assert "web-1: already enrolled on 20" in error
    assert "first run: fleetglass enroll --revoke web-1" in error
    assert (folder / "hosts/web-1.yaml").read_text() == before
    assert not (folder / "hosts/web-2.yaml").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["+"], "host id: got '+', expected 1 to 63"),
        (["web/1"], "host id: got 'web/1'"),
        (["#"], "host id: got '#'"),
        (["reader.bridge"], "host id: got 'reader.bridge'"),
        (["Web-1"], "host id: got 'Web-1'"),
        (["web-1", "web-1"], "web-1 is named twice"),
        (["--reader", "bridge"], "--reader: got 'bridge', expected a name"),
        (["--reader", "a.b"], "--reader: got 'a.b', expected a name"),
        ([], "enroll: got nothing to do"),
        (["web-1", "--revoke", "web-2"], "enroll: got several things to do"),
        (["web-1"], "--broker: missing; the first call needs the name"),
        (["web-1", "--broker", "mqtt://b"], "--broker: got mqtt://b:1883, expected mqtts://NAME"),
        (["web-1", "--broker", "mqtts://me@b"], "--broker: got mqtts://me@b:8883, expected mqtts://NAME"),
        (["web-1", "--broker", "mqtts://b,mqtts://c:1"], "--broker: got mqtts://c:1, expected mqtts://NAME"),
        (
            ["web-1", "--broker", "mqtts://*.example"],
            "--broker: got *.example, expected the broker's own name",
        ),
        (
            ["web-1", "--broker", "mqtts://-b.example"],
            "--broker: got -b.example, expected the broker's own name",
        ),
        (["web-1", "--broker", "mqtts://a..b"], "--broker: got 'mqtts://a..b', expected"),
        (["web-1", "--broker", f"mqtts://{'a' * 64}.example"], "--broker: got 'mqtts://aaaa"),
        (["web-1", "--broker", f"mqtts://{'.'.join(['abc'] * 75)}"], "--broker: got 'mqtts://abc.abc"),
        (
            ["web-1", "--broker", "mqtts://b", "--prefix", "a b"],
            "--prefix: got 'a b', expected 1 to 6 levels",
        ),
    ],
)
def test_wrong_calls(
    folder: Path, call: Enroll, capsys: pytest.CaptureFixture[str], words: list[str], problem: str
) -> None:
    """What is wrong is told in one line, with exit code 2, and nothing is made."""
    assert call(*words) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert problem in line
    assert not folder.exists()


def test_a_host_may_be_called_bridge(folder: Path, call: Enroll) -> None:
    """A host of a reader's name is another user, with rights of its own."""
    assert call("bridge", "--bridge", "--broker", URL) == 0
    users = [line.partition(":")[0] for line in (folder / "users").read_text().splitlines()]
    assert users == ["bridge", "reader.bridge"]


def test_revoke(folder: Path, call: Enroll, capsys: pytest.CaptureFixture[str]) -> None:
    """User, rules and file are gone, a certificate is on the list, and the name is free again."""
    call("web-1", "web-2", "--broker", URL)
    call("web-3", "--certificate")
    empty = (folder / "revoked.pem").read_text()
    assert call("--revoke", "web-1", "web-3") == 0
    out = capsys.readouterr().out
    assert "revoked web-1, web-3" in out
    assert out.splitlines()[-1] == (
        "revoked web-1 web-3, but retained messages may remain on the broker (no broker runs here with "
        f"{folder}); to clear them, run where the broker runs: "
        f"fleetglass forget web-1 web-3 --folder {folder}"
    )
    assert [line.partition(":")[0] for line in (folder / "users").read_text().splitlines()] == ["web-2"]
    rules = (folder / "rules").read_text()
    assert "web-2" in rules
    assert "web-1" not in rules
    assert "web-3" not in rules
    assert (folder / "revoked.pem").read_text() != empty
    assert [path.name for path in (folder / "hosts").iterdir()] == ["web-2.yaml"]
    assert call("--revoke", "web-1") == 1
    assert "web-1: not enrolled" in capsys.readouterr().err
    assert call("web-1") == 0


def test_list(call: Enroll, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the broker and when its certificate ends, and each host with the kind of its credential."""
    assert call("--list") == 1
    assert "no host is enrolled in" in capsys.readouterr().err
    call("web-1", "--bridge", "--broker", URL)
    call("web-2", "--certificate")
    capsys.readouterr()
    assert call("--list") == 0
    broker, *members = capsys.readouterr().out.splitlines()
    assert broker.startswith("broker mqtts://broker.example:8883, prefix fleet; its certificate ends 20")
    assert [line.split()[0] for line in members] == ["reader.bridge", "web-1", "web-2"]
    assert [("password" in line, "certificate  ends 20" in line) for line in members] == [
        (True, False),
        (True, False),
        (False, True),
    ]


def test_list_of_hosts(tmp_path: Path, call: Enroll, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a file for `hosts_file`, with the hosts alone, whatever their ids look like to YAML."""
    call("web-1", "8086", "on", "--bridge", "--reader", "laptop", "--broker", URL)
    capsys.readouterr()
    assert call("--list", "--hosts") == 0
    file = tmp_path / "hosts.yaml"
    file.write_text(capsys.readouterr().out)
    assert ExpectedHostList(file=file).hosts == tuple(map(ExpectedHost, ("8086", "on", "web-1")))
    call("--revoke", "web-1", "8086", "on")
    capsys.readouterr()
    assert call("--list", "--hosts") == 0
    file.write_text(capsys.readouterr().out)
    assert ExpectedHostList(file=file).hosts == ()


def test_renew(folder: Path, call: Enroll, capsys: pytest.CaptureFixture[str]) -> None:
    """Another certificate of the same authority; under another name only where it is given."""
    call("web-1", "--broker", URL)
    before = [(folder / name).read_text() for name in ("broker.pem", "ca.crt")]
    assert call("web-2", "--broker", "mqtts://new.example") == 2
    assert "--renew changes the name" in capsys.readouterr().err
    assert call("--renew", "--broker", f"{URL},mqtts://new.example") == 0
    after = [(folder / name).read_text() for name in ("broker.pem", "ca.crt")]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True]
    call("web-2")
    assert "@new.example:8883" in (folder / "hosts/web-2.yaml").read_text()


def test_a_certificate_that_ends_soon(
    call: Enroll, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the last months of the broker's certificate every call says so, with the remedy."""
    call("web-1", "--broker", URL)
    assert "--renew" not in capsys.readouterr().out
    monkeypatch.setattr(enroll, "WARNING_DAYS", 10 * 365)
    call("--list")
    assert "days; another: fleetglass enroll --renew" in capsys.readouterr().out


@pytest.mark.parametrize("blocker", ["file", "text"])
def test_a_folder_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], blocker: str
) -> None:
    """A folder that cannot be made, or holds something else, is told in one line."""
    place = tmp_path / "place"
    if blocker == "file":
        place.write_text("")
        expected = "folder: file exists"
    else:
        place.mkdir()
        (place / "fleet.json").write_text("{}")
        expected = "expected what enroll wrote"
    assert main(["enroll", "web-1", "--broker", URL, "--folder", str(place)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert expected in line


def test_without_its_package(
    call: Enroll, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the extra is not installed, the remedy is named."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert call("web-1", "--broker", URL) == 1
    assert f"{sys.executable} -m pip install cryptography" in capsys.readouterr().err


def test_two_at_once(folder: Path, call: Enroll, environment: dict[str, str]) -> None:
    """Of many calls at the same time none loses what another one did."""
    call("web-0", "--broker", URL)
    names = [f"web-{number}" for number in range(1, 4)]
    command = [sys.executable, "-m", "fleetglass.cli", "enroll", "--folder", str(folder)]

    def enroll_one(name: str) -> None:
        subprocess.run([*command, name], env=environment, check=True, capture_output=True)

    threads = [threading.Thread(target=enroll_one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    registry = json.loads((folder / "fleet.json").read_text())
    assert set(registry["members"]) == {"web-0", *names}
    assert (folder / "rules").read_text().count("user web-") == 4


@pytest.mark.parametrize("following", [["web-3"], ["--revoke", "web-1"]])
def test_a_call_that_was_cut_off(
    folder: Path, call: Enroll, monkeypatch: pytest.MonkeyPatch, following: list[str]
) -> None:
    """A revocation that ends halfway is made whole by the next call, the same one as well."""
    told: list[object] = []
    monkeypatch.setattr("fleetglass.cli.enrollment.running_broker.reload_broker", told.append)
    call("web-1", "web-2", "--broker", URL)
    write = folders.Folder.write

    def cut(self: folders.Folder, name: str, text: str) -> Path:
        if name == "users":
            raise KeyboardInterrupt
        return write(self, name, text)

    with monkeypatch.context() as patched:
        patched.setattr(folders.Folder, "write", cut)
        call("--revoke", "web-1")
    assert "web-1" in (folder / "users").read_text()
    told.clear()
    call(*following)
    assert "web-1" not in (folder / "users").read_text()
    assert len(told) == 1


# Ends the program as `kill -9` and a power failure do: nothing is tidied up. Files are put in place by
# replace(), and taken away by unlink().
CUT_OFF = """
import os, signal, sys
from pathlib import Path
from fleetglass.cli.main import main
left = [int(sys.argv.pop(1))]
def counted(act):
    def counting(*arguments, **named):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*arguments, **named)
    return counting
Path.replace, Path.unlink = counted(Path.replace), counted(Path.unlink)
sys.exit(main(sys.argv[1:]))
"""


def certificate_fits(folder: Path) -> bool:
    """Whether what mosquitto is told to read is a certificate and its key."""
    lines = dict(
        line.split(" ", 1) for line in (folder / "mosquitto.conf").read_text().splitlines() if " " in line
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(lines["certfile"], lines["keyfile"])
    except ssl.SSLError:
        return False
    return True


@pytest.mark.parametrize("words", [["--renew"], ["--revoke", "web-1", "web-2"], ["web-3", "web-4"]], ids=str)
def test_a_call_that_is_killed_at_any_point(
    tmp_path: Path, folder: Path, call: Enroll, environment: dict[str, str], words: list[str]
) -> None:
    """Wherever it is killed, the broker can start, and the next call leaves nothing of it behind."""
    call("web-0", "web-1", "--broker", URL)
    call("web-2", "--certificate")
    kept = tmp_path / "kept"
    folder.rename(kept)
    killed, point = True, 0
    while killed:
        shutil.copytree(kept, folder)
        command = [sys.executable, "-c", CUT_OFF, str(point), "enroll", *words, "--folder", str(folder)]
        killed = subprocess.run(command, env=environment, capture_output=True, check=False).returncode != 0
        assert certificate_fits(folder), f"killed at point {point}"
        assert call("web-9") == 0
        members = set(json.loads((folder / "fleet.json").read_text())["members"])
        users = {*re.findall(r"(?m)^user (.*)$", (folder / "rules").read_text())}
        assert members == users
        assert {path.stem for path in (folder / "hosts").iterdir()} == members
        assert [path.name for path in folder.rglob(".*")] == [".lock"]
        shutil.rmtree(folder)
        point += 1
    assert point > 2


def test_only_what_enroll_wrote_is_cleaned_up(folder: Path, call: Enroll) -> None:
    """Files that a user put into the folder stay, whatever they are called."""
    call("web-1", "--broker", URL)
    own = [
        folder / name for name in (".backup", "hosts/.notes.txt", "hosts/old.yaml", "readers/.git.abcdefg")
    ]
    for path in own:
        path.parent.mkdir(exist_ok=True)
        path.write_text("# mine\n")
    (folder / "hosts/.web-7.yaml.a1b2c3d4").write_text("secret")
    (folder / "hosts/web-7.yaml").write_text(
        "# web-7, enrolled 2026-11-30. Holds a secret: keep it private.\n"
    )
    call("web-2")
    assert all(path.exists() for path in own)
    assert {path.name for path in (folder / "hosts").iterdir()} == {
        *("web-1.yaml", "web-2.yaml", "old.yaml", ".notes.txt")
    }


@pytest.mark.parametrize("fits", [True, False])
def test_a_folder_with_key_and_certificate_apart(folder: Path, call: Enroll, *, fits: bool) -> None:
    """One made before they were in one file gets them there; a pair that was renewed by half is made anew."""
    call("web-1", "--broker", URL)
    configuration = folder / "mosquitto.conf"
    text = configuration.read_text()
    text = text.replace(f"certfile {folder}/broker.pem", f"certfile {folder}/broker.crt")
    configuration.write_text(text.replace(f"keyfile {folder}/broker.pem", f"keyfile {folder}/broker.key"))
    old = (folder / "broker.pem").read_text()
    (folder / "broker.crt").write_text(old)
    if not fits:
        call("--renew")
    (folder / "broker.pem").rename(folder / "broker.key")
    assert certificate_fits(folder) is fits
    call("web-2")
    assert certificate_fits(folder)
    assert (old in (folder / "broker.crt").read_text()) is fits
    before = (folder / "broker.crt").read_text()
    call("web-3")
    assert (folder / "broker.crt").read_text() == before
    call("--renew")
    assert certificate_fits(folder)
    assert (folder / "broker.crt").read_text() != before


def test_the_machines_own_broker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder of the machine systemd is to run mosquitto, whose data stays where its package has it."""
    place, unit = tmp_path / "etc/fleetglass/broker", tmp_path / "mosquitto.service"
    unit.touch()
    monkeypatch.setattr(folders, "SYSTEM_FOLDER", place)
    monkeypatch.setattr(enroll, "_UNITS", (unit,))
    monkeypatch.setattr(folders, "_SYSTEM_STATE", tmp_path)
    words = ("web-1", "--bridge", "--reader", "laptop", "--broker", URL, "--folder", str(place))
    assert main(["enroll", *words]) == 0
    out = capsys.readouterr().out
    assert f"  sudo scp {place}/hosts/web-1.yaml web-1:\n" in out, "only root may read it"
    assert f"  sudo fleetglass bridge --config {place}/readers/bridge.yaml\n" in out
    assert f"  sudo fleetglass watch --config {place}/readers/laptop.yaml\n" in out
    drop_in = "/etc/systemd/system/mosquitto.service.d/fleetglass.conf"
    assert f"sudo install -D -m 644 {place}/service.conf {drop_in}\n" in out
    assert "sudo systemctl daemon-reload && sudo systemctl restart mosquitto" in out
    assert f"mosquitto -c {place}/mosquitto.conf" in (place / "service.conf").read_text()
    assert f"persistence_location {tmp_path}/\n" in (place / "mosquitto.conf").read_text()


def test_mosquitto_is_installed_later(
    call: Enroll, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no mosquitto yet, the steps begin with it; the same call then tells how to start it."""
    with monkeypatch.context() as patched:
        patched.setattr("fleetglass.cli.configuration.broker_choice.find_mosquitto", lambda: None)
        call("web-1", "--broker", URL)
    out = capsys.readouterr().out
    again = next(line for line in out.splitlines() if "fleetglass enroll --broker" in line)
    assert "sudo apt install mosquitto" in out
    assert main(again.split()[1:]) == 0
    assert "mosquitto -c " in capsys.readouterr().out


def test_where_it_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Root has the machine's folder, everybody else a folder of their own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert folders.default_folder() == tmp_path / "fleetglass/broker"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert folders.default_folder() == Path("/etc/fleetglass/broker")
