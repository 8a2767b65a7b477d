import pytest

from fleetglass.client.compat.snapshot import (
    connection_message,
    envelope,
    error_message,
    monitoring_data,
    timestamp,
)
from support.samples import MadeUpHost

NOW = 1_795_271_535.003
GB = 1024**3
MB = 1024**2


def test_every_field_of_a_host_with_all_groups() -> None:
    """Each promised field has its place, in GB, MB and MHz."""
    data = monitoring_data(
        "web-1",
        {
            "cpu_percent": 45.2,
            "temperature_celsius": 61.5,
            "memory_percent": 62.8,
            "filesystem_percent": 90.0,
        },
        {
            "cpu": {"frequency_hertz": 2_894_000_000},
            "memory": {"total_bytes": 16 * GB, "used_bytes": 10 * GB, "available_bytes": 6 * GB},
            "filesystem": {
                "mounts": {
                    "/": {"used_percent": 28.5, "used_bytes": 1 * GB, "total_bytes": 4 * GB},
                    "/srv": {
                        "used_percent": 90.0,
                        "used_bytes": 90 * GB,
                        "total_bytes": 100 * GB,
                        "free_bytes": 10 * GB,
                    },
                }
            },
            "gpu": {
                "devices": {
                    "0000:01:00.0": {"state": "suspended"},
                    "0000:03:00.0": {
                        "busy_percent": 15.0,
                        "memory_percent": 45.0,
                        "temperature_celsius": 51.0,
                        "memory_used_bytes": 900 * MB,
                        "memory_total_bytes": 2000 * MB,
                        "name": "Arc",
                    },
                }
            },
        },
    )
    assert data == {
        "processor": {"usage_percent": 45.2, "temperature": 61.5, "frequency_mhz": 2894},
        "memory": {"usage_percent": 62.8, "used_gb": 10, "total_gb": 16, "available_gb": 6},
        "disk": {"usage_percent": 90.0, "used_gb": 90, "total_gb": 100, "free_gb": 10, "path": "/srv"},
        "gpu": {
            "usage_percent": 15.0,
            "memory_percent": 45.0,
            "temperature": 51.0,
            "memory_used_mb": 900,
            "memory_total_mb": 2000,
            "name": "Arc",
        },
        "system": {"hostname": "web-1"},
    }


def test_a_pulse_alone() -> None:
    """What only the groups tell is absent, and a host without a GPU has no section for it."""
    data = monitoring_data("web-1", {"cpu_percent": 1.5, "memory_percent": 50.0, "filesystem_percent": 28.5})
    assert data == {
        "processor": {"usage_percent": 1.5},
        "memory": {"usage_percent": 50.0},
        "disk": {"usage_percent": 28.5},
        "system": {"hostname": "web-1"},
    }
    assert monitoring_data("web-1", {}) == {"system": {"hostname": "web-1"}}


def test_memory_of_a_fleet() -> None:
    """With the total of its info, a pulse's percentage gives used and available memory."""
    memory = monitoring_data("a", {"memory_percent": 25.0}, {}, {"memory_total_bytes": 8 * GB})["memory"]
    assert memory == {"usage_percent": 25.0, "used_gb": 2, "total_gb": 8, "available_gb": 6}


def test_what_the_host_is() -> None:
    """The detailed view finds cores, frequencies, architecture, mount, system and name of the host."""
    host = MadeUpHost("web-1", name="web-1.example")
    data = monitoring_data("web-1", host.pulse(NOW), host.live(NOW), host.info(NOW))
    assert data["system"] == {
        "hostname": "web-1.example",
        "os_name": "Debian GNU/Linux 12 (bookworm)",
        "kernel": "Linux 6.1.0-18-amd64",
        "architecture": "x86_64",
        "process_count": 312,
        "uptime_seconds": 4_512_345,
    }
    assert data["processor"]["physical_cores"] == 4
    assert data["processor"]["frequency_max_mhz"] == 3300
    assert data["disk"]["path"] == "/var/lib/docker"
    assert "gpu" not in data


def test_a_sleeping_gpu_has_no_values() -> None:
    """A GPU that is left alone gives a name but no section."""
    assert "gpu" not in monitoring_data("a", {}, {"gpu": {"devices": {"x": {"name": "Arc"}}}})


@pytest.mark.parametrize(
    ("time", "text"), [(0, "1970-01-01T00:00:00.000+00:00"), (NOW, "2026-11-21T14:32:15.003+00:00")]
)
def test_timestamp(time: float, text: str) -> None:
    """Times are ISO 8601 in UTC."""
    assert timestamp(time) == text


def test_envelopes() -> None:
    """Every message has its time and type; errors keep their severity."""
    assert envelope("monitoring_data", "a", {"gpu": {}}, 0) == {
        "timestamp": "1970-01-01T00:00:00.000+00:00",
        "type": "monitoring_data",
        "host": "a",
        "data": {"gpu": {}},
    }
    assert connection_message("connected", 0) == {
        "timestamp": "1970-01-01T00:00:00.000+00:00",
        "type": "connection_message",
        "message": "connected",
    }
    assert error_message("no answer", 0) == {
        "timestamp": "1970-01-01T00:00:00.000+00:00",
        "type": "error_message",
        "error": "no answer",
        "severity": "warning",
    }


def test_rates_of_the_pulse() -> None:
    """What network and disks carry is told in bytes per second, as the pulse has it."""
    rates = {
        "disk_read_bytes_per_second": 1,
        "disk_write_bytes_per_second": 2,
        "network_receive_bytes_per_second": 3,
        "network_transmit_bytes_per_second": 4,
    }
    data = monitoring_data("web-1", rates)
    assert data["disk"] == {"read_bytes_per_second": 1, "write_bytes_per_second": 2}
    assert data["network"] == {"receive_bytes_per_second": 3, "transmit_bytes_per_second": 4}
