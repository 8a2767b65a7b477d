"""Trees of `/sys` as the drivers of real cards lay them out."""

from pathlib import Path

AMD = {
    "vendor": "0x1002",
    "device": "0x687f",
    "power/runtime_status": "active",
    "power/control": "on",
    "gpu_busy_percent": "4",
    "mem_info_vram_used": "1490378752",
    "mem_info_vram_total": "8573157376",
    "hwmon/hwmon4/name": "amdgpu",
    "hwmon/hwmon4/temp1_input": "41000",
    "hwmon/hwmon4/temp2_input": "43000",
    "hwmon/hwmon4/power1_average": "17000000",
    "hwmon/hwmon4/freq1_input": "852000000",
    "hwmon/hwmon4/fan1_input": "912",
}
INTEL_INTEGRATED = {
    "vendor": "0x8086",
    "device": "0x5917",
    "power/runtime_status": "active",
    "power/control": "auto",
    "drm/card0/gt_act_freq_mhz": "300",
    "drm/card0/gt_cur_freq_mhz": "350",
    "drm/card0/gt/gt0/rps_act_freq_mhz": "300",
    "drm/card0/gt/gt0/rc6_residency_ms": "1000",
    "drm/card0/card0-eDP-1/status": "connected",
}
INTEL_XE = {
    "vendor": "0x8086",
    "device": "0xe20b",
    "power/runtime_status": "active",
    "power/control": "on",
    "tile0/gt0/freq0/act_freq": "2850",
    "tile0/gt0/freq0/cur_freq": "2900",
    "tile0/gt0/gtidle/idle_residency_ms": "1000",
    "hwmon/hwmon3/energy1_input": "5000000",
    "hwmon/hwmon3/temp2_input": "52000",
    "hwmon/hwmon3/fan1_input": "1200",
}


def add_card(root: Path, card: str, address: str, files: dict[str, str]) -> Path:
    """Add a card under `root`, and return its device's folder."""
    device = root / "sys/devices/pci0000:00" / address
    (device / "drm" / card).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = device / name.replace("drm/card0/card0", f"drm/{card}/{card}").replace("card0", card)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (device / "drm" / card / "device").symlink_to("../../")
    for folder, name, target in (
        ("sys/class/drm", card, device / "drm" / card),
        ("sys/bus/pci/devices", address, device),
    ):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / name).symlink_to(target)
    return device


def add_process(
    root: Path,
    pid: int,
    name: str = "worker",
    *,
    uid: int = 1000,
    cgroup: str = "0::/user.slice",
    files: dict[int, tuple[str, str]] | None = None,
) -> Path:
    """Add a process under `root`: its open files have a target and an fdinfo. Return its folder."""
    folder = root / "proc" / str(pid)
    for part in ("fd", "fdinfo"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "comm").write_text(name + "\n")
    (folder / "status").write_text(f"Name:\t{name}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
    (folder / "cgroup").write_text(cgroup + "\n")
    for number, (target, fdinfo) in (files or {}).items():
        link = folder / "fd" / str(number)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        (folder / "fdinfo" / str(number)).write_text("pos:\t0\nflags:\t02100002\nmnt_id:\t26\n" + fdinfo)
    return folder


def fdinfo(driver: str, address: str, client: int, **values: str) -> str:
    """Return what a driver tells of an open file; `_` in a name stands for `-`, `drm-` comes before it."""
    lines = [f"drm-driver:\t{driver}", f"drm-client-id:\t{client}", f"drm-pdev:\t{address}"]
    lines += [f"drm-{name.replace('_', '-')}:\t{value}" for name, value in values.items()]
    return "\n".join(lines) + "\n"
