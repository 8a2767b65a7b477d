import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agent.gpu_tree import add_process, fdinfo

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

if sys.platform == "linux":
    from fleetglass.agent.readings.gpu.linux_drm_client import DrmClients, parse_client

AMD, INTEL = "0000:0b:00.0", "0000:00:02.0"
MIB = 2**20
RENDER = "/dev/dri/renderD128"


class Clock:
    """A clock that moves when told."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a host with its first process."""
    add_process(tmp_path, 1, "systemd", uid=0)
    return tmp_path


def amd(client: int, gfx: int = 0, *, vram: str = "100 MiB", address: str = AMD) -> str:
    """Return an fdinfo of amdgpu, which tells only engines that were used."""
    engine = {"engine_gfx": f"{gfx} ns"} if gfx else {}
    return fdinfo(
        "amdgpu", address, client, **engine, memory_vram=vram, memory_gtt="7 MiB", memory_cpu="0 KiB"
    )


def test_clients_count_once_and_work_is_that_since_before(root: Path) -> None:
    """Two files of one client are one, two clients of a process are added up, for each engine apart."""
    clock = Clock()
    reader = DrmClients(str(root), clock=clock)

    def files(gfx: int, encode: int) -> dict[int, tuple[str, str]]:
        second = amd(8, gfx, vram="1 GiB") + f"drm-engine-enc:\t{encode} ns\n"
        return {3: (RENDER, amd(7, gfx)), 4: (RENDER, amd(7, gfx)), 5: ("/dev/dri/card0", second)}

    add_process(root, 50, "blender", files=files(10**9, 0))
    (one,) = reader.read({AMD}).processes[AMD]
    assert (one.pid, one.memory, one.busy) == (50, 1124 * MIB, None)
    clock.now += 10
    add_process(root, 50, "blender", files=files(2 * 10**9, 3 * 10**9))
    (one,) = reader.read({AMD}).processes[AMD]
    assert one.busy == 30.0
    clock.now += 10
    (one,) = reader.read({AMD}).processes[AMD]
    assert one.busy == 0.0


def test_intel_xe_counts_cycles_of_several_engines(root: Path) -> None:
    """Work is the share of the cycles that all engines of a kind had; memory is that in VRAM."""
    clock = Clock()
    reader = DrmClients(str(root), clock=clock)

    def client(cycles: int, total: int) -> dict[int, tuple[str, str]]:
        text = fdinfo(
            "xe",
            INTEL,
            12,
            total_system="1 GiB",
            total_vram0="512 MiB",
            resident_vram0="300 MiB",
            cycles_vcs=str(cycles),
            total_cycles_vcs=str(total),
            engine_capacity_vcs="2",
            cycles_rcs="0",
            total_cycles_rcs=str(total),
        )
        return {9: (RENDER, text)}

    add_process(root, 60, "ffmpeg", files=client(500, 10_000))
    reader.read({INTEL})
    clock.now += 10
    add_process(root, 60, "ffmpeg", files=client(1500, 12_000))
    (one,) = reader.read({INTEL}).processes[INTEL]
    assert (one.memory, one.busy) == (300 * MIB, 25.0)


def test_an_integrated_gpu_has_memory_of_the_system(root: Path) -> None:
    """i915 counts nanoseconds, with the number of engines; drivers without any count tell no work."""
    clock = Clock()
    reader = DrmClients(str(root), clock=clock)

    def client(number: int, **engines: str) -> tuple[str, str]:
        text = fdinfo(
            "i915",
            INTEL,
            number,
            total_system0="64 MiB",
            resident_system0="48 MiB",
            shared_system0="8 MiB",
            **engines,
        )
        return RENDER, text

    add_process(root, 61, "firefox", files={9: client(1, engine_render="0 ns", engine_capacity_render="1")})
    add_process(root, 62, "mpv", files={9: client(2)})
    reader.read({INTEL})
    clock.now += 2
    spent = f"{10**9} ns"
    add_process(root, 61, "firefox", files={9: client(1, engine_render=spent, engine_capacity_render="1")})
    found = {one.pid: (one.memory, one.busy) for one in reader.read({INTEL}).processes[INTEL]}
    assert found == {61: (48 * MIB, 50.0), 62: (48 * MIB, None)}


def test_a_shared_client_counts_for_who_uses_it(root: Path) -> None:
    """A child inherits its parent's GPU; systemd-logind keeps open what it opened for the compositor."""
    add_process(root, 70, "python3", files={3: (RENDER, amd(20))})
    add_process(root, 71, "python3", files={3: (RENDER, amd(20))})
    add_process(root, 5, "systemd-logind", uid=0, files={20: ("/dev/dri/card0", amd(21))})
    add_process(root, 80, "gnome-shell", files={7: ("/dev/dri/card0", amd(21)), 8: (RENDER, amd(22))})
    found = {one.pid: one.memory for one in DrmClients(str(root)).read({AMD}).processes[AMD]}
    assert found == {70: 100 * MIB, 80: 200 * MIB}


def test_other_gpus_and_other_files_are_passed_over(root: Path) -> None:
    """Only the GPUs asked for are told; what a file that is no GPU tells is not read."""
    add_process(
        root,
        50,
        files={3: (RENDER, amd(7)), 4: ("/dev/dri/renderD129", amd(1, address=INTEL)), 5: ("socket:[7]", "")},
    )
    (root / "proc/50/fdinfo/5").unlink()
    os.mkfifo(root / "proc/50/fdinfo/5")  # which nobody could read
    add_process(root, 51, files={3: ("/dev/null", "")})
    assert list(DrmClients(str(root)).read({AMD}).processes) == [AMD]


def test_a_card_without_an_address_has_what_is_left(root: Path) -> None:
    """In a copy of /sys without links a single such card is the GPU that no other card is; of two neither."""
    files = {3: (RENDER, amd(7)), 4: ("/dev/dri/renderD129", amd(1, address=INTEL))}
    add_process(root, 50, files=files)
    reader = DrmClients(str(root))
    assert set(reader.read(["card0", INTEL]).processes) == {"card0", INTEL}
    assert set(reader.read(["card0", "card1"]).processes) == set()


def test_processes_that_are_not_taken_are_not_read(root: Path) -> None:
    """Neither the open files of a process that is left out nor its memory with ROCm are looked at."""
    add_process(root, 50, files={3: (RENDER, amd(7))})
    (root / "proc/50/fdinfo/3").unlink()
    os.mkfifo(root / "proc/50/fdinfo/3")
    add_process(root, 51, files={3: (RENDER, amd(8))})
    found = DrmClients(str(root), takes=lambda pid: pid != 50).read({AMD})
    assert [one.pid for one in found.processes[AMD]] == [51]


def test_a_process_without_a_gpu_is_looked_at_seldom(root: Path) -> None:
    """One that is young is looked at every time, an older one once a minute."""
    clock = Clock()
    looked: list[int] = []

    def takes(pid: int) -> bool:
        looked.append(pid)
        return True

    reader = DrmClients(str(root), clock=clock, takes=takes)
    add_process(root, 50, files={3: (RENDER, amd(7))})
    for _ in range(20):
        reader.read({AMD})
        clock.now += 10
    assert looked.count(50) == 20
    assert 6 <= looked.count(1) <= 10
    add_process(root, 51)
    reader.read({AMD})
    add_process(root, 51, files={3: (RENDER, amd(8))})
    clock.now += 10
    assert [one.pid for one in reader.read({AMD}).processes[AMD]] == [50, 51]


def test_memory_of_rocm_is_told_to_everybody(root: Path) -> None:
    """A process that only ROCm knows is found by the kernel's list; one known both ways counts once."""
    kfd = root / "sys/class/kfd/kfd"
    for node, gpu_id, location in ((0, 0, 0), (1, 4711, 0x0B00)):
        (kfd / f"topology/nodes/{node}").mkdir(parents=True)
        (kfd / f"topology/nodes/{node}/gpu_id").write_text(f"{gpu_id}\n")
        (kfd / f"topology/nodes/{node}/properties").write_text(
            f"vendor_id 4098\nlocation_id {location}\ndomain 0\n"
        )
    for pid, used in ((50, 3000 * MIB), (52, 64 * MIB), (53, 0)):
        (kfd / f"proc/{pid}").mkdir(parents=True)
        (kfd / f"proc/{pid}/vram_4711").write_text(f"{used}\n")
    add_process(root, 50, files={3: (RENDER, amd(7))})
    found = {one.pid: one.memory for one in DrmClients(str(root)).read({AMD}).processes[AMD]}
    assert found == {50: 3000 * MIB, 52: 64 * MIB}


AS_NOBODY = """
import os, sys
from fleetglass.agent.readings.gpu.linux_drm_client import DrmClients
os.setuid(65534)
now = 0.0
reader = DrmClients(sys.argv[1], clock=lambda: now)
for _ in range(9):
    users = reader.read({"0000:0b:00.0"})
    print([one.pid for one in users.processes["0000:0b:00.0"]], users.is_partial)
    now += 10
"""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs two users")
def test_an_ordinary_user_sees_its_own_processes_alone() -> None:
    """Those of others are known to be hidden, also while nobody looks at them; its own are told."""
    with tempfile.TemporaryDirectory() as folder:  # that of pytest is closed to others
        root = Path(folder)
        root.chmod(0o755)
        for pid in (1, 50, 51):
            add_process(root, pid, files={3: (RENDER, amd(pid))})
        for name in ("1/fd", "1/fdinfo", "51/fd", "51/fdinfo"):
            (root / "proc" / name).chmod(0o700)
        ended = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, folder], capture_output=True, text=True, check=True
        )
    assert set(ended.stdout.splitlines()) == {"[50] True"}


def test_hidden_processes_are_noticed(tmp_path: Path) -> None:
    """A /proc that shows no first process hides those of others."""
    add_process(tmp_path, 50, files={3: (RENDER, amd(7))})
    assert DrmClients(str(tmp_path)).read({AMD}).is_partial
    add_process(tmp_path, 1)
    assert not DrmClients(str(tmp_path)).read({AMD}).is_partial


@pytest.mark.parametrize(
    "text",
    [
        "",
        "drm-driver:\tpanfrost\ndrm-client-id:\t3\n",
        "drm-driver:\tamdgpu\ndrm-pdev:\t0000:0b:00.0\n",
        "drm-pdev 0000:0b:00.0\ndrm-client-id 3\n",
    ],
)
def test_what_names_no_gpu_or_no_client_is_none(text: str) -> None:
    """A file of another kind, or of a GPU that is on no PCI bus, is passed over."""
    assert parse_client(text) is None


def test_nonsense_costs_its_own_value() -> None:
    """Numbers that are none, and units that nobody knows, are absent."""
    text = fdinfo(
        "amdgpu",
        AMD,
        1,
        memory_vram="12 bananas",
        engine_gfx="-5 ns",
        engine_compute="7 ns",
        engine_capacity_compute="0",
        cycles_rcs="4",
    )
    client = parse_client(text)
    assert client is not None
    assert (client.memory, client.engines, client.capacities) == (None, {"compute": (7, None)}, {})


def test_this_machine_is_read_without_an_error() -> None:
    """Whatever runs here, looking through it raises nothing."""
    assert DrmClients().read({AMD}).processes.get(AMD) is None
