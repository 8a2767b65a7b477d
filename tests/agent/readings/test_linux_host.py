import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_host import cpu_model


@pytest.mark.parametrize(
    ("cpuinfo", "model"),
    [
        ("processor\t: 0\nmodel\t\t: 85\nmodel name\t: Intel(R) Atom(TM) C3558\n", "Intel(R) Atom(TM) C3558"),
        ("system type\t: Qualcomm Atheros QCA9558\ncpu model\t: MIPS 74Kc V5.0\n", "MIPS 74Kc V5.0"),
        ("processor : 0\nCPU Family : Loongson-64bit\nModel Name : Loongson-3A6000\n", "Loongson-3A6000"),
        ("processor\t: 0\ncpu\t\t: POWER8E (raw)\nmodel\t\t: 8247-22L\n", "POWER8E (raw)"),
        (
            "processor\t: 0\n\nHardware\t: BCM2835\nModel\t\t: Raspberry Pi Zero 2 W\n",
            "Raspberry Pi Zero 2 W",
        ),
        ("processor\t: 0\nhart\t\t: 1\n", "Milk-V Duo"),
    ],
)
def test_each_architecture_names_its_processor_in_its_own_way(
    tmp_path: Path, cpuinfo: str, model: str
) -> None:
    """Where none of its names is there, the device tree tells the board."""
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/cpuinfo").write_text(cpuinfo)
    (tmp_path / "proc/device-tree/model").write_bytes(b"Milk-V Duo\0")
    assert cpu_model(str(tmp_path)) == model
