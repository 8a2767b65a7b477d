from pathlib import Path

import pytest

from fleetglass.agent.readings.packages.reboot import reboot_required


def machine(root: Path, running: str, *installed: str) -> str:
    """Make a host that runs a kernel and has some installed."""
    (root / "proc/sys/kernel").mkdir(parents=True)
    (root / "proc/sys/kernel/osrelease").write_text(running + "\n")
    for release in installed:
        (root / "usr/lib/modules" / release / "kernel").mkdir(parents=True)
    return str(root)


def test_a_host_that_says_nothing_tells_nothing(tmp_path: Path) -> None:
    """No mark, no modules, no kernel: absent instead of no."""
    assert reboot_required(str(tmp_path)) is None


@pytest.mark.parametrize("mark", ["run/reboot-required", "var/run/reboot-required"])
def test_the_systems_own_mark_counts(tmp_path: Path, mark: str) -> None:
    """Where it may be set, its absence counts as well."""
    (tmp_path / "usr/share/update-notifier").mkdir(parents=True)
    (tmp_path / "usr/share/update-notifier/notify-reboot-required").touch()
    root = machine(tmp_path, "6.8.0-55-generic", "6.8.0-55-generic", "6.8.0-60-generic")
    assert reboot_required(root) is False
    (tmp_path / mark).parent.mkdir(parents=True)
    (tmp_path / mark).touch()
    assert reboot_required(root) is True


def test_a_mark_behind_a_link_out_of_the_root_is_another_machines(tmp_path: Path) -> None:
    """`/var/run` is an absolute link on some systems."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "reboot-required").touch()
    (tmp_path / "host/var").mkdir(parents=True)
    (tmp_path / "host/var/run").symlink_to(elsewhere)
    assert reboot_required(str(tmp_path / "host")) is None


@pytest.mark.parametrize(
    ("running", "installed", "required"),
    [
        ("6.1.0-18-amd64", ["6.1.0-18-amd64"], False),
        ("6.1.0-9-amd64", ["6.1.0-9-amd64", "6.1.0-18-amd64"], True),
        ("6.1.0-18-amd64", ["6.1.0-9-amd64", "6.1.0-18-amd64"], False),
        ("6.1.0-18-amd64", ["6.1.0-18-amd64", "6.1.0-20-rt-amd64", "6.10.0-1-cloud-amd64"], False),
        ("6.12.9+deb13-amd64", ["6.12.9+deb13-amd64", "6.12.48+deb13-amd64"], True),
        ("6.8.0-55-generic", ["6.8.0-55-generic", "6.8.0-60-lowlatency"], False),
        ("6.8.12-4-pve", ["6.8.12-4-pve", "6.8.12-10-pve"], True),
        ("6.6.74+rpt-rpi-v7", ["6.6.74+rpt-rpi-v7", "6.6.74+rpt-rpi-v8", "6.6.74+rpt-rpi-2712"], False),
        ("6.6.74+rpt-rpi-v8", ["6.6.74+rpt-rpi-v8", "6.12.20+rpt-rpi-v8"], True),
        ("6.12.15-200.fc41.x86_64", ["6.12.15-200.fc41.x86_64", "6.13.4-200.fc42.x86_64"], True),
        (
            "5.14.0-503.11.1.el9_5.x86_64",
            ["5.14.0-503.11.1.el9_5.x86_64", "5.14.0-503.9.1.el9_5.x86_64"],
            False,
        ),
        (
            "5.14.0-503.9.1.el9_5.x86_64",
            ["5.14.0-503.11.1.el9_5.x86_64", "5.14.0-503.9.1.el9_5.x86_64"],
            True,
        ),
        ("6.6.76-0-lts", ["6.6.76-0-lts", "6.6.80-0-lts"], True),
        # In a container the host's kernel runs.
        ("6.8.12-4-pve", ["6.1.0-18-amd64"], None),
        ("6.6.87.2-microsoft-standard-WSL2", [], None),
        ("custom", ["custom", "6.1.0-18-amd64"], None),
    ],
)
def test_a_newer_kernel_of_the_same_flavour_counts(
    tmp_path: Path, running: str, installed: list[str], *, required: bool | None
) -> None:
    """The digits of a flavour are no age, and what cannot be compared says nothing."""
    assert reboot_required(machine(tmp_path, running, *installed)) is required


def test_what_a_removed_kernel_left_behind_is_no_kernel(tmp_path: Path) -> None:
    """Modules that were built on the host stay when a kernel goes."""
    root = machine(tmp_path, "6.1.0-18-amd64", "6.1.0-18-amd64")
    (tmp_path / "usr/lib/modules/6.1.0-20-amd64/updates/dkms").mkdir(parents=True)
    assert reboot_required(root) is False


def test_pacman_takes_the_modules_of_the_kernel_that_runs(tmp_path: Path) -> None:
    """On Arch they are gone as soon as a new one is there."""
    root = machine(tmp_path, "6.13.2-arch1-1", "6.13.4-arch1-1")
    assert reboot_required(root) is None
    (tmp_path / "var/lib/pacman/local/linux-6.13.4.arch1-1").mkdir(parents=True)
    assert reboot_required(root) is True
