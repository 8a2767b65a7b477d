"""Made-up hosts that look real: infos, pulses and live groups, smooth and the same every time."""

import math
from dataclasses import dataclass, field
from typing import Any

Payload = dict[str, Any]

INFO_GROUPS = {
    "cpu": 1.0,
    "memory": 1.0,
    "disk": 1.0,
    "filesystem": 10.0,
    "network": 1.0,
    "sensor": 1.0,
    "process": 5.0,
    "collector": 1.0,
}


@dataclass(slots=True)
class MadeUpHost:
    """One host; every sample is a function of its number and the time alone."""

    id: str
    number: int = 0
    cores: int = 8
    clock_ahead: float = 0.0
    sensors: bool = True
    synthetic: bool = False
    name: str | None = None
    busy: float | None = None
    """A fixed CPU use instead of a wave."""
    changes: Payload = field(default_factory=dict)
    """Fields of the info to put in place of the usual ones."""

    def info(self, now: float) -> Payload:
        """Return the static facts."""
        info: Payload = {
            "time": now + self.clock_ahead,
            "session": "k3f9q2",
            "host_name": self.name or self.id,
            "agent_version": "0.1.0",
            "interval_seconds": 1.0,
            "groups": {
                group: {"interval_seconds": seconds}
                for group, seconds in INFO_GROUPS.items()
                if self.sensors or group != "sensor"
            },
            "os_name": "Debian GNU/Linux 12 (bookworm)",
            "kernel": "Linux 6.1.0-18-amd64",
            "architecture": "x86_64",
            "python_version": "3.11.2",
            "cpu_model": "AMD EPYC 7302P 16-Core Processor",
            "physical_cores": max(1, self.cores // 2),
            "logical_cores": self.cores,
            "memory_total_bytes": self._memory,
            "swap_total_bytes": 4 * 1024**3,
            "boot_time": now + self.clock_ahead - 4_512_345 - 86_400 * self.number,
            "addresses": {"eth0": [f"192.168.7.{self.number + 10}", "fe80::5054:ff:fe12:3456"]},
            "tags": ["rack-3", "web"],
        }
        if self.synthetic:
            info["synthetic"] = True
        return info | self.changes

    @property
    def _memory(self) -> int:
        return (8 << self.number % 4) * 1024**3

    def _wave(self, now: float, period: float, phase: float = 0.0) -> float:
        """Return a slow wave with ripples, between 0 and 1."""
        turn = now / period * math.tau + self.number * 1.7 + phase
        return 0.5 + 0.3 * math.sin(turn) + 0.12 * math.sin(turn * 3.7 + 1) + 0.08 * math.sin(turn * 11.3)

    def cpu_percent(self, now: float) -> float:
        """Return the busy share of all cores."""
        if self.busy is not None:
            return self.busy
        return round(8 + 55 * self._wave(now, 97) ** 2 + 10 * self._wave(now, 7), 1)

    def pulse(self, now: float, **changes: Any) -> Payload:
        """Return the headline numbers."""
        memory = self._memory_percent(now)
        pulse: Payload = {
            "time": round(now + self.clock_ahead, 3),
            "tick": int(now),
            "session": "k3f9q2",
            "cpu_percent": self.cpu_percent(now),
            "core_percents": [round(one) for one in self._core_percents(now)],
            "load_1m": round(self.cpu_percent(now) / 100 * self.cores, 2),
            "memory_percent": memory,
            "swap_percent": round(4 * self._wave(now, 900), 1),
            "filesystem_percent": min(97.0, 41.5 + 9 * (self.number % 7)),
            "disk_read_bytes_per_second": round(3e6 * self._wave(now, 31) ** 4),
            "disk_write_bytes_per_second": round(9e6 * self._wave(now, 23) ** 3),
            "network_receive_bytes_per_second": round(4e6 * self._wave(now, 53) ** 2),
            "network_transmit_bytes_per_second": round(1.4e6 * self._wave(now, 41) ** 2),
            "process_count": 312 + self.number,
            "uptime_seconds": 4_512_345 + 86_400 * self.number,
        }
        if self.sensors:
            pulse["temperature_celsius"] = round(44 + 18 * self._wave(now, 120), 1)
        return pulse | changes

    def live(self, now: float) -> dict[str, Payload]:
        """Return every group of one tick."""
        stamp = {"time": round(now + self.clock_ahead, 3), "tick": int(now)}
        groups = {
            "cpu": self._cpu(now),
            "memory": self._memory_group(now),
            "disk": self._disk(now),
            "filesystem": self._filesystem(),
            "network": self._network(now),
            "process": self._process(now),
            "collector": self._collector(),
        }
        if self.sensors:
            groups["sensor"] = self._sensor(now)
        return {name: stamp | group for name, group in groups.items()}

    def history(self, now: float, seconds: int) -> dict[str, list[Payload]]:
        """Return the past up to and with `now`, oldest first."""
        past: dict[str, list[Payload]] = {"pulse": self.past_pulses(now, seconds)}
        for ago in range(seconds, -1, -1):
            for name, payload in self.live(now - ago).items():
                if int(now - ago) % int(INFO_GROUPS.get(name, 1.0)) == 0 or ago == 0:
                    past.setdefault(name, []).append(payload)
        return past

    def past_pulses(self, now: float, seconds: int) -> list[Payload]:
        """Return the headline numbers up to and with `now`, oldest first."""
        return [self.pulse(now - ago) for ago in range(seconds, -1, -1)]

    def _memory_percent(self, now: float) -> float:
        return round(38 + 5 * (self.number % 8) + 12 * self._wave(now, 300), 1)

    def _core_percents(self, now: float) -> list[float]:
        mean = self.cpu_percent(now)
        return [
            round(min(100.0, max(0.0, mean * (0.35 + 1.3 * self._wave(now, 19 + core % 7, core * 2.3)))), 1)
            for core in range(self.cores)
        ]

    def _cpu(self, now: float) -> Payload:
        busy = self.cpu_percent(now)
        return {
            "total_percent": busy,
            "core_percents": self._core_percents(now),
            "user_percent": round(busy * 0.62, 1),
            "nice_percent": 0.0,
            "system_percent": round(busy * 0.25, 1),
            "iowait_percent": round(busy * 0.09, 1),
            "irq_percent": 0.0,
            "softirq_percent": round(busy * 0.04, 1),
            "steal_percent": 0.0,
            "idle_percent": round(100 - busy, 1),
            "frequency_hertz": 2_894_000_000,
            "frequency_min_hertz": 1_500_000_000,
            "frequency_max_hertz": 3_300_000_000,
            "load_1m": round(busy / 100 * self.cores, 2),
            "load_5m": round(self.cores * 0.3 * self._wave(now, 600), 2),
            "load_15m": round(self.cores * 0.28, 2),
            "context_switches_per_second": round(8000 + 4000 * self._wave(now, 11)),
            "interrupts_per_second": round(5200 + 900 * self._wave(now, 13)),
            "pressure": {"some_10s_percent": 1.4, "some_60s_percent": 0.9},
        }

    def _memory_group(self, now: float) -> Payload:
        total = self._memory
        used = round(total * self._memory_percent(now) / 100)
        return {
            "total_bytes": total,
            "used_bytes": used,
            "available_bytes": total - used,
            "free_bytes": round((total - used) * 0.3),
            "cached_bytes": round((total - used) * 0.55),
            "buffers_bytes": round((total - used) * 0.06),
            "used_percent": self._memory_percent(now),
            "swap_total_bytes": 4 * 1024**3,
            "swap_used_bytes": round(4 * 1024**3 * 0.04 * self._wave(now, 900)),
            "swap_percent": round(4 * self._wave(now, 900), 1),
            "swap_in_bytes_per_second": 0,
            "swap_out_bytes_per_second": 0,
            "pressure": {"some_10s_percent": 0.0},
        }

    def _disk(self, now: float) -> Payload:
        return {
            "devices": {
                name: {
                    "read_bytes_per_second": round(3e6 * share * self._wave(now, 31) ** 4),
                    "write_bytes_per_second": round(9e6 * share * self._wave(now, 23) ** 3),
                    "reads_per_second": round(140 * share * self._wave(now, 31)),
                    "writes_per_second": round(310 * share * self._wave(now, 23)),
                    "busy_percent": round(34 * share * self._wave(now, 23), 1),
                    "read_total_bytes": round(4e11 * share),
                    "write_total_bytes": round(9e11 * share),
                    "in_total": name != "loop0",
                }
                for name, share in (("nvme0n1", 1.0), ("nvme1n1", 0.35), ("loop0", 0.0))
            },
            "read_total_bytes": round(4e11 * 1.35),
            "write_total_bytes": round(9e11 * 1.35),
            "pressure": {"some_10s_percent": 0.3},
        }

    def _filesystem(self) -> Payload:
        mounts = {
            "/": ("/dev/nvme0n1p2", "ext4", 468, 0.415 + 0.09 * (self.number % 7)),
            "/boot/efi": ("/dev/nvme0n1p1", "vfat", 0.5, 0.06),
            "/srv/data": ("/dev/nvme1n1p1", "xfs", 1863, 0.34),
            "/var/lib/docker": ("/dev/nvme1n1p2", "ext4", 200, 0.61),
        }
        return {
            "mounts": {
                mount: {
                    "device": device,
                    "type": kind,
                    "total_bytes": round(size * 1024**3),
                    "used_bytes": round(size * 1024**3 * min(0.97, share)),
                    "free_bytes": round(size * 1024**3 * (1 - min(0.97, share))),
                    "used_percent": round(100 * min(0.97, share), 1),
                    **({} if kind == "vfat" else {"inodes_percent": round(18 * share, 1)}),
                }
                for mount, (device, kind, size, share) in mounts.items()
            }
        }

    def _network(self, now: float) -> Payload:
        return {
            "interfaces": {
                name: {
                    "receive_bytes_per_second": round(4e6 * share * self._wave(now, 53) ** 2),
                    "transmit_bytes_per_second": round(1.4e6 * share * self._wave(now, 41) ** 2),
                    "receive_packets_per_second": round(3100 * share * self._wave(now, 53)),
                    "transmit_packets_per_second": round(1900 * share * self._wave(now, 41)),
                    "receive_total_bytes": round(8e12 * share),
                    "transmit_total_bytes": round(2e12 * share),
                    "receive_errors_total": 0,
                    "transmit_errors_total": 0,
                    "receive_drops_total": round(120 * share),
                    "transmit_drops_total": 0,
                    "up": share > 0,
                    "in_total": name in {"eth0", "wlan0"},
                }
                for name, share in (("eth0", 1.0), ("wg0", 0.2), ("lo", 0.05), ("wlan0", 0.0))
            },
            "tcp_connections": {"established": 214, "listen": 31},
        }

    def _sensor(self, now: float) -> Payload:
        sensors = (
            ("k10temp", "Tctl", 44, 18, 95.0),
            ("nvme", "Composite", 38, 5, 84.8),
            ("acpitz", "", 31, 2, None),
        )
        return {
            "temperatures": {
                f"{chip}/{label}": {
                    "chip": chip,
                    "label": label,
                    "current_celsius": round(base + swing * self._wave(now, 120, base), 1),
                    **(
                        {}
                        if critical is None
                        else {"high_celsius": critical - 10, "critical_celsius": critical}
                    ),
                }
                for chip, label, base, swing, critical in sensors
            },
            "fans": {"nct6775/fan1": {"chip": "nct6775", "label": "fan1", "speed_rpm": 1180}},
        }

    def _process(self, now: float) -> Payload:
        names = (
            "postgres",
            "python3",
            "nginx",
            "node",
            "dockerd",
            "systemd-journald",
            "redis-server",
            "sshd",
            "fleetglass",
            "cron",
        )
        entries = [
            {
                "pid": 812 + 37 * place,
                "name": name,
                "user": "root" if place % 3 else "www-data",
                "cpu_percent": round(self.cpu_percent(now) * 1.6 / (place + 1), 1),
                "memory_percent": round(18 / (place + 1), 1),
                "resident_bytes": round(self._memory * 0.18 / (place + 1)),
                "threads": 3 + place,
            }
            for place, name in enumerate(names)
        ]
        return {
            "count": 312 + self.number,
            "states": {"running": 2, "sleeping": 268, "idle": 42 + self.number},
            "top_cpu": entries,
            "top_memory": entries,
        }

    def _collector(self) -> Payload:
        took = {
            "cpu": 0.00031,
            "memory": 0.00012,
            "disk": 0.00028,
            "network": 0.00044,
            "sensor": 0.0021,
            "process": 0.0182,
            "filesystem": 0.0009,
        }
        return {
            "collectors": {
                name: {"state": "ok", "duration_seconds": seconds} for name, seconds in took.items()
            },
            "cpu_percent": 0.4,
            "resident_bytes": 22 * 1024**2,
            "dropped_messages": 0,
            "skipped_ticks": 0,
        }
