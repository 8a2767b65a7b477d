"""What synthetic hosts are modelled on."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of machine, with what is usual for it."""

    name: str
    os_name: str
    kernel: str
    cpu_model: str
    architecture: str
    memory_bytes: int
    disk_device: str
    disk_bytes: int
    interface: str
    link_bytes_per_second: int
    frequency_hertz: int
    cpu_level: float
    memory_level: float
    disk_peak: float
    """Bytes per second at the height of a burst."""
    network_peak: float
    """Bytes per second at the height of a burst."""
    sensor_chip: str
    sensor_label: str
    programs: tuple[str, ...]
    """Names of its busiest processes."""
    gpus: int = 0
    """Number of its GPUs."""


_GIB: Final = 1024**3
_DEBIAN: Final = ("Debian GNU/Linux 12 (bookworm)", "Linux 6.1.0-31-amd64")
_UBUNTU: Final = ("Ubuntu 24.04.2 LTS", "Linux 6.8.0-55-generic")
_SYSTEM: Final = ("systemd", "sshd", "systemd-journald", "dbus-daemon", "cron", "rsyslogd", "python3")

ROLES: Final = (
    Role(
        "web",
        *_DEBIAN,
        "Intel(R) Xeon(R) E-2388G CPU @ 3.20GHz",
        "x86_64",
        16 * _GIB,
        "nvme0n1",
        480 * _GIB,
        "eno1",
        125_000_000,
        3_200_000_000,
        0.28,
        0.46,
        4e7,
        9e7,
        "coretemp",
        "Package id 0",
        ("nginx", "php-fpm8.2", "node", "redis-server", *_SYSTEM),
    ),
    Role(
        "db",
        *_UBUNTU,
        "AMD EPYC 7443P 24-Core Processor",
        "x86_64",
        64 * _GIB,
        "nvme0n1",
        1920 * _GIB,
        "enp65s0f0",
        1_250_000_000,
        2_850_000_000,
        0.36,
        0.72,
        4e8,
        2e8,
        "k10temp",
        "Tctl",
        ("postgres", "pgbouncer", "barman", "node_exporter", *_SYSTEM),
    ),
    Role(
        "build",
        *_UBUNTU,
        "AMD Ryzen 9 7950X 16-Core Processor",
        "x86_64",
        64 * _GIB,
        "nvme1n1",
        960 * _GIB,
        "enp7s0",
        312_500_000,
        4_500_000_000,
        0.55,
        0.38,
        3e8,
        6e7,
        "k10temp",
        "Tctl",
        ("cc1plus", "rustc", "ld.lld", "dockerd", "containerd", *_SYSTEM),
        gpus=4,
    ),
    Role(
        "edge",
        "Raspberry Pi OS 12 (bookworm)",
        "Linux 6.6.74+rpt-rpi-v8",
        "Cortex-A76",
        "aarch64",
        8 * _GIB,
        "mmcblk0",
        64 * _GIB,
        "eth0",
        125_000_000,
        2_400_000_000,
        0.16,
        0.33,
        6e6,
        1.2e7,
        "cpu_thermal",
        "",
        ("mosquitto", "homeassistant", "zigbee2mqtt", *_SYSTEM),
    ),
    Role(
        "store",
        "Fedora Linux 41 (Server Edition)",
        "Linux 6.12.15-200.fc41.x86_64",
        "Intel(R) Core(TM) i3-12100",
        "x86_64",
        32 * _GIB,
        "sda",
        8000 * _GIB,
        "enp3s0",
        312_500_000,
        3_300_000_000,
        0.12,
        0.61,
        2e8,
        1.5e8,
        "coretemp",
        "Package id 0",
        ("smbd", "nfsd", "minio", "zfs", *_SYSTEM),
    ),
)  # fmt: skip - one line per field would hide that this is a table
"""Hosts take these in turn."""
