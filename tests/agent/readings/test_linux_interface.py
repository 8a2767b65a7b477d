import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.agent.readings.types import Attachment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_interface import (
        LinkReader,
        interface_names,
        parse_wireless,
        read_mac_addresses,
    )


@pytest.mark.parametrize(
    ("state", "flags", "speed", "expected"),
    [
        ("up", "0x1003", "1000", (True, 125_000_000)),
        ("up", "0x1003", "-1", (True, None)),
        ("up", "0x1003", "65535", (True, None)),
        ("up", "0x1003", "4294967295", (True, None)),
        ("unknown", "0x9", None, (True, None)),
        ("unknown", "0x8", None, (False, None)),
        ("lowerlayerdown", "0x1003", "10", (False, 1_250_000)),
        ("up", "garbage", "fast", (None, None)),
        (None, "0x1003", "1000", (None, 125_000_000)),
    ],
)
def test_links(
    tmp_path: Path, state: str | None, flags: str, speed: str | None, expected: tuple[bool | None, int | None]
) -> None:
    """Up is what is switched on and has a carrier; what is not known is None."""
    (tmp_path / "eth0").mkdir()
    (tmp_path / "bonding_masters").write_text("bond0\n")
    (tmp_path / "eth0/flags").write_text(flags + "\n")
    for name, text in (("operstate", state), ("speed", speed)):
        if text is not None:
            (tmp_path / "eth0" / name).write_text(text + "\n")
    links = LinkReader(str(tmp_path), str(tmp_path))(["eth0", "bonding_masters", "lo"])
    assert links == {"eth0": (*expected, None, None)}


class Tree:
    """The folder `/sys` of a router: a port below a bridge, and PPP over Ethernet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.net = folder / "class/net"
        self.net.mkdir(parents=True)
        for number, place in enumerate(("pci/eth7/net/eth7", "virtual/net/lan", "virtual/net/ppp0"), 2):
            own = folder / "devices" / place
            own.mkdir(parents=True)
            (self.net / own.name).symlink_to(f"../../devices/{place}")
            for name, text in (
                ("ifindex", number),
                ("iflink", number),
                ("type", 512 if own.name == "ppp0" else 1),
                ("flags", "0x1003"),
                ("operstate", "up"),
                ("address", f"02:00:00:00:00:0{number}" if own.name != "ppp0" else ""),
            ):
                (own / name).write_text(f"{text}\n")
        card, bridge, ppp = (self.net / name for name in ("eth7", "lan", "ppp0"))
        (folder / "devices/pci/eth7/uevent").write_text("DRIVER=mvneta\nMODALIAS=of:NethernetT(null)\n")
        (card / "device").symlink_to("../../../eth7")
        (card / "master").symlink_to("../../../../virtual/net/lan")
        (card / "brport").mkdir()
        (card / "phys_port_name").write_text("p0\n")
        (bridge / "bridge").mkdir()
        (bridge / "lower_eth7").symlink_to("../../../pci/eth7/net/eth7")
        (ppp / "uevent").write_text("DEVTYPE=ppp\nINTERFACE=ppp0\nIFINDEX=4\n")
        self.proc = folder / "proc"
        self.proc.mkdir()
        (self.proc / "pppoe").write_text(
            "Id       Address              Device\n00000A00 00:11:22:33:44:55     eth7\n"
        )
        (self.proc / "route").write_text(
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
            "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\n"
        )

    def attachments(self) -> dict[str, Attachment | None]:
        """Read the tree."""
        links = LinkReader(str(self.net), str(self.proc))(["eth7", "lan", "ppp0"])
        return {name: link.attachment for name, link in links.items()}


def with_links(tree: Tree) -> None:
    """Leave the tree as the kernel has it."""


def as_files(tree: Tree) -> None:
    """Make each link a file that holds its target, as a checkout without links does."""
    for path in [one for one in tree.folder.rglob("*") if one.is_symlink()]:
        target = path.readlink()
        path.unlink()
        path.write_text(f"{target}")


def followed(tree: Tree) -> None:
    """Make each link of the class what it leads to, without what leads back up, as `cp -rL` may."""
    for name in ("eth7", "lan", "ppp0"):
        path = tree.net / name
        own = path.resolve()
        path.unlink()
        shutil.copytree(own, path, symlinks=True)
    (tree.net / "eth7/device").unlink()
    (tree.net / "eth7/device").mkdir()
    (tree.net / "eth7/device/uevent").write_text("DRIVER=mvneta\n")
    (tree.net / "eth7/master").unlink()
    (tree.net / "eth7/master").mkdir()
    (tree.net / "eth7/master/uevent").write_text("INTERFACE=lan\n")


@pytest.mark.parametrize("change", [with_links, as_files, followed])
def test_attachments(tmp_path: Path, change: object) -> None:
    """What an interface is and what it runs over is read from links, and from what copies make of them."""
    tree = Tree(tmp_path)
    assert callable(change)
    change(tree)
    found = tree.attachments()
    card, bridge, ppp = (found[name] for name in ("eth7", "lan", "ppp0"))
    assert card is not None
    assert bridge is not None
    assert ppp is not None
    if change is not as_files:  # the file that takes the place of a folder has no driver
        assert card.driver == "mvneta"
    assert card._replace(driver="", bus="") == Attachment(
        ifindex=2,
        iflink=2,
        hardware_type=1,
        flags=0x1003,
        has_device=True,
        port="p0",
        master="lan",
        is_bridge_port=True,
        carries_pppoe=True,
    )
    assert (bridge.kind, bridge.lowers, bridge.has_device) == ("bridge", frozenset({"eth7"}), False)
    assert (ppp.kind, ppp.hardware_type, ppp.has_default_route) == ("ppp", 512, True)


def test_the_bus_of_xen(tmp_path: Path) -> None:
    """Both ends of Xen's cables have one driver; the bus tells them apart, by alias or by link."""
    for name, alias in (("vif1.0", "MODALIAS=xen-backend:vif\n"), ("vif2.0", "")):
        (tmp_path / name / "device").mkdir(parents=True)
        (tmp_path / name / "device/uevent").write_text(f"DRIVER=vif\n{alias}")
        (tmp_path / name / "ifindex").write_text("7\n")
    (tmp_path / "vif2.0/device/subsystem").symlink_to("../../../bus/xen-backend")
    links = LinkReader(str(tmp_path), str(tmp_path))(["vif1.0", "vif2.0"])
    assert [one.attachment.bus for one in links.values() if one.attachment] == ["xen-backend"] * 2


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    """Of an interface that is left out no file is opened."""
    for name in ("eth0", "veth1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "operstate").write_text("up\n")
        (tmp_path / name / "address").write_text("02:00:00:00:00:01\n")
    assert list(LinkReader(str(tmp_path), str(tmp_path))(["eth0"])) == ["eth0"]
    assert read_mac_addresses(str(tmp_path), ["eth0"]) == {"eth0": "02:00:00:00:00:01"}


def test_an_interface_that_takes_the_place_of_another(tmp_path: Path) -> None:
    """What cannot change is read once, and anew of a namesake; what may change is read each time."""
    read = LinkReader(str(tmp_path), str(tmp_path))

    def make(index: int) -> None:
        own = tmp_path / f"new{index}"
        own.mkdir()
        (own / "ifindex").write_text(f"{index}\n")
        own.rename(tmp_path / "usb0")

    def found() -> tuple[int | None, str]:
        attachment = read(["usb0"])["usb0"].attachment
        assert attachment is not None
        return attachment.ifindex, attachment.master

    make(4)
    assert found() == (4, "")
    (tmp_path / "usb0/master").symlink_to("../br0")
    (tmp_path / "usb0/ifindex").write_text("5\n")
    assert found() == (4, "br0")
    (tmp_path / "usb0").rename(tmp_path / "gone")
    make(6)
    assert found() == (6, "")


def test_hardware_addresses(tmp_path: Path) -> None:
    """Loopback has only zeros, a tunnel the IP address of its end, InfiniBand a long one."""
    infiniband = "80:00:02:08:fe:80:00:00:00:00:00:00:e4:1d:2d:03:00:11:22:33"
    told = {
        "lo": "00:00:00:00:00:00",
        "sit1": "c0:00:02:07",
        "ib0": infiniband,
        "tun0": "",
        "eth0": "02:00:00:00:00:00",
    }
    for name, address in told.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "address").write_text(f"{address}\n")
    names = interface_names(str(tmp_path))
    assert read_mac_addresses(str(tmp_path), names) == {"eth0": "02:00:00:00:00:00", "ib0": infiniband}


WIRELESS = """Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
wlp2s0: 0000   57.  -53.  -256        0      0      0      0     12        0
 wlan1: 0000    0  -256  -256         0      0      0      0      0        0
  ra0: 0000   100   60    0           0      0      0      0      0        0
 wlan2: 0000   70.  -95   -110        0      0      0      0      0        0
"""


def test_wireless_signals() -> None:
    """A level in dBm is told; none, and one on a scale of the driver's own, is not."""
    assert parse_wireless(WIRELESS) == {"wlp2s0": -53, "wlan2": -95}


@given(st.text())
def test_no_text_can_harm(text: str) -> None:
    """Whatever the file holds, signals are found or not."""
    parse_wireless(text)
    parse_wireless("\n\nwlan0: " + text)
