"""Of every kind of machine: which interfaces the wire's bytes are counted at."""

from typing import Any

import pytest

from fleetglass.agent.collectors.summed_interfaces import summed_interfaces
from fleetglass.agent.readings.types import Attachment, Link

LOOPBACK = Attachment(ifindex=1, iflink=1, hardware_type=772, flags=0x9)
FAR = 99  # the index of something in another network


class Host:
    """A host to which interfaces are added, each with the next index."""

    def __init__(self) -> None:
        self.links = {"lo": Link(up=True, speed=None, attachment=LOOPBACK)}

    def add(self, name: str, *, up: bool = True, **told: Any) -> "Host":
        """Add any interface: an ordinary one, but for what is told."""
        number = len(self.links) + 1
        lowers = frozenset(told.pop("over", "").split())
        attachment = Attachment(ifindex=number, iflink=number, hardware_type=1, lowers=lowers)
        self.links[name] = Link(up=up, speed=None, attachment=attachment._replace(**told))
        return self

    def card(self, name: str, *, up: bool = True, **told: Any) -> "Host":
        """Add a network card, or what a virtual machine takes for one."""
        return self.add(name, up=up, **({"has_device": True, "driver": "igc"} | told))

    def bridge(self, name: str, over: str = "") -> "Host":
        """Add a bridge over its ports."""
        return self.add(name, kind="bridge", over=over)

    def veth(self, name: str, **told: Any) -> "Host":
        """Add an end of a virtual cable whose other end is elsewhere."""
        return self.add(name, **({"iflink": FAR} | told))

    def port(self, name: str, master: str, **told: Any) -> "Host":
        """Add an end of a virtual cable that is a port of a bridge."""
        return self.veth(name, master=master, is_bridge_port=True, **told)

    @property
    def counted(self) -> list[str]:
        """The names that are counted, in order."""
        return sorted(summed_interfaces(self.links, self.links))


MACHINES = {
    "bridges of any name": (
        Host()
        .card("enp1s0", master="lan")
        .bridge("lan", "enp1s0 vnet0")
        .add("vnet0", kind="tun", master="lan"),
        "enp1s0",
    ),
    "LXD and Incus": (
        Host().card("eno1").bridge("incusbr-1", "vethab12").port("vethab12", "incusbr-1"),
        "eno1",
    ),
    "a bond of a bond's name or not": (
        Host()
        .card("p1", master="uplink")
        .card("p2", master="uplink")
        .add("uplink", kind="bond", over="p1 p2"),
        "p1 p2",
    ),
    "a team": (
        Host().card("em1", master="nm-team").card("em2", master="nm-team").add("nm-team", over="em1 em2"),
        "em1 em2",
    ),
    "VLANs over a bond": (
        Host().card("p1", master="b").add("b", kind="bond", over="p1").add("storage", kind="vlan", over="b"),
        "p1",
    ),
    "macvlan and ipvlan": (
        Host()
        .card("eth0")
        .add("shim", kind="macvlan", iflink=2, over="eth0")
        .add("ipv", kind="ipvlan", iflink=2, over="eth0"),
        "eth0",
    ),
    "macvtap": (Host().card("eth0").add("macvtap0", kind="macvtap", iflink=2, over="eth0"), "eth0"),
    "overlays": (
        Host()
        .card("ens5")
        .add("flannel.1", kind="vxlan")
        .add("genev_sys_6081", kind="geneve")
        .add("kube-ipvs0", flags=0x82)
        .veth("lxc_1"),
        "ens5",
    ),
    "tunnels": (
        Host()
        .card("eth0")
        .add("sit1", hardware_type=776, iflink=0)
        .add("gre1", hardware_type=778, iflink=2)
        .add("home", kind="wireguard", hardware_type=65534)
        .add("office", kind="tun", hardware_type=65534)
        .add("tap7", kind="tun"),
        "eth0",
    ),
    "PPP over Ethernet": (
        Host()
        .card("eth1", carries_pppoe=True)
        .add("ppp0", kind="ppp", hardware_type=512, has_default_route=True),
        "eth1",
    ),
    "PPP over Ethernet of an older kernel": (
        Host().card("eth1").add("wan", kind="ppp", hardware_type=512),
        "eth1",
    ),
    "a modem on a serial line": (Host().add("ppp0", kind="ppp", hardware_type=512), "ppp0"),
    "a modem beside an unplugged card": (
        Host().card("eth0", up=False).add("ppp0", kind="ppp", hardware_type=512),
        "eth0 ppp0",
    ),
    "a modem beside a network of its own": (
        Host().card("eth0").add("ppp0", kind="ppp", hardware_type=512, has_default_route=True),
        "eth0 ppp0",
    ),
    "a VPN by PPP": (
        Host()
        .card("eth0", has_gateway=True)
        .add("ppp0", kind="ppp", hardware_type=512, has_default_route=True),
        "eth0",
    ),
    "LTE": (Host().card("wwan0", kind="wwan", hardware_type=65534).add("qmimux0", over="wwan0"), "wwan0"),
    "a switch chip, its ports with hardware": (
        Host()
        .card("end0")
        .card("lan2", kind="dsa", iflink=2, over="end0", master="br-lan")
        .card("wan", kind="dsa", iflink=2, over="end0")
        .bridge("br-lan", "lan2"),
        "end0",
    ),
    "a true switch": (Host().card("swp1", port="p1").card("swp2", port="p2").card("eth0"), "eth0 swp1 swp2"),
    "Open vSwitch": (
        Host()
        .add("ovs-system", up=False)
        .card("eno2", master="ovs-system")
        .add("br-ex", has_default_route=True)
        .add("vxlan_sys_4789", kind="vxlan", master="ovs-system")
        .veth("qvo12", master="ovs-system"),
        "eno2",
    ),
    "Azure with a fast path": (
        Host()
        .card("eth0", driver="hv_netvsc", over="enP1s1")
        .card("enP1s1", master="eth0", driver="mlx5_core"),
        "eth0",
    ),
    "virtio with a standby": (
        Host()
        .card("ens3", over="ens3nsby ens4")
        .card("ens3nsby", master="ens3", driver="virtio_net")
        .card("ens4", master="ens3", driver="iavf"),
        "ens3",
    ),
    "virtual functions in the host": (
        Host().card("ens1f0").card("ens1f0v0", driver="iavf"),
        "ens1f0 ens1f0v0",
    ),
    "the ports of a smart card": (
        Host()
        .card("p0", port="p0")
        .card("pf0hpf", port="pf0")
        .card("r", port="pf0vf3")
        .card("s", port="c1pf0sf8"),
        "p0",
    ),
    "Xen, with guests": (
        Host()
        .card("eth0")
        .card("vif1.0", driver="vif", bus="xen-backend", master="xenbr0")
        .bridge("xenbr0", "eth0 vif1.0"),
        "eth0",
    ),
    "Xen, with guests, the bus unknown": (Host().card("eth0").card("vif7.0", driver="vif"), "eth0"),
    "Xen, a guest": (Host().card("eth0", driver="vif", bus="xen"), "eth0"),
    "Xen, a guest, the bus unknown": (
        Host().card("eth0", driver="vif").card("eth1", driver="vif"),
        "eth0 eth1",
    ),
    "a guest of Xen with a card of its own": (
        Host().card("eth0", driver="vif", bus="xen").card("ens5", driver="ixgbevf"),
        "ens5 eth0",
    ),
    "InfiniBand with a partition": (
        Host()
        .card("ib0", hardware_type=32, driver="mlx5_core")
        .card("ib0.8002", hardware_type=32, iflink=2, driver="mlx5_core"),
        "ib0 ib0.8002",
    ),
    "Wi-Fi with a monitor": (
        Host()
        .card("wlan0", kind="wlan", driver="ath9k")
        .card("mon0", kind="wlan", hardware_type=803, driver="ath9k"),
        "wlan0",
    ),
    "shaping and dummies": (
        Host()
        .card("eth0")
        .add("ifb4eth0", flags=0x82)
        .add("dummy7", flags=0x82)
        .add("nl", hardware_type=824),
        "eth0",
    ),
    "a container": (Host().veth("eth0", has_default_route=True), "eth0"),
    "a container whose loopback has no type": (
        Host().veth("eth0").add("lo1", hardware_type=None, flags=0x9),
        "eth0",
    ),
    "a container in two networks": (Host().veth("eth0").veth("eth1"), "eth0 eth1"),
    "a container of nspawn": (Host().veth("host0"), "host0"),
    "a container by macvlan": (Host().add("eth0", kind="macvlan", iflink=FAR), "eth0"),
    "a container by ipvlan of layer 3": (Host().add("eth0", kind="ipvlan", iflink=2, flags=0x81), "eth0"),
    "OpenVZ": (Host().add("venet0", hardware_type=65535, flags=0xD3), "venet0"),
    "a container with the kernel's own tunnels": (
        Host()
        .veth("eth0")
        .add("tunl0", up=False, hardware_type=768, iflink=0)
        .add("gretap0", up=False, iflink=0)
        .add("ip6tnl0", up=False, hardware_type=769, iflink=0),
        "eth0",
    ),
    "a container with a VPN": (Host().veth("eth0").add("tun0", kind="tun", hardware_type=65534), "eth0"),
    "a rootless container": (Host().add("tap0", kind="tun"), "tap0"),
    "a network with nothing but WireGuard": (Host().add("wg0", kind="wireguard", hardware_type=65534), "wg0"),
    "Docker in LXC": (
        Host().veth("eth0", iflink=4).bridge("docker0", "veth3a").port("veth3a", "docker0", iflink=2),
        "eth0",
    ),
    "LXC with containers on the same bridge": (
        Host().port("ens18", "br0").port("veth3a", "br0").bridge("br0", "ens18 veth3a"),
        "ens18",
    ),
    "a bridge of cables that look alike": (
        Host().port("veth1", "br0").port("veth2", "br0").bridge("br0", "veth1 veth2"),
        "br0",
    ),
    "a container with a bond": (
        Host()
        .veth("eth0", master="bond0")
        .veth("eth1", master="bond0")
        .add("bond0", kind="bond", over="eth0 eth1"),
        "eth0 eth1",
    ),
    "a container with a VLAN": (Host().veth("eth0").add("v10", kind="vlan", iflink=2, over="eth0"), "eth0"),
    "a pod with a virtual function": (
        Host().veth("eth0", has_default_route=True).card("net1", driver="iavf"),
        "eth0 net1",
    ),
    "a node of Kubernetes in a container": (
        Host()
        .veth("eth0", iflink=40)
        .veth("veth5d1c", iflink=2)
        .veth("cali7", iflink=3)
        .veth("lxc0a1b2c3d", iflink=4)
        .add("cilium_net", iflink=7)
        .add("cilium_host", iflink=6),
        "eth0",
    ),
    "a node of Kubernetes on a bridge in a container": (
        Host().port("eth0", "br0", iflink=40).bridge("br0", "eth0").veth("veth5d1c", iflink=2),
        "eth0",
    ),
    "a container whose way out is named like a cable": (
        Host().veth("veth0", has_default_route=True).veth("veth1"),
        "veth0",
    ),
    "a container with nothing but what engines name": (Host().veth("veth0").veth("veth1"), "veth0 veth1"),
    "a bond of interfaces that are left out": (
        Host().add("bond0", kind="bond").add("wg0", kind="wireguard", hardware_type=65534),
        "bond0",
    ),
    "a guest's cable and nothing else that is read": (Host().add("tap3", kind="tun", master="br0"), "tap3"),
    "PPP over Ethernet over a modem without a device": (
        Host()
        .card("eth0")
        .add("nas0")
        .add("nas0.35", kind="vlan", iflink=3, over="nas0", carries_pppoe=True)
        .add("dsl", kind="ppp", hardware_type=512, has_default_route=True),
        "eth0 nas0",
    ),
    "a modem without a device": (
        Host()
        .card("wlan0", up=False)
        .add("rmnet_ipa0", hardware_type=519)
        .add("rmnet_data0", hardware_type=519, iflink=3, has_default_route=True),
        "rmnet_ipa0 wlan0",
    ),
    "the port of a switch without a device": (
        Host().card("eth0", master="ovs-system").add("ovs-system").add("br-ex", has_default_route=True),
        "eth0",
    ),
    "a container without a network": (Host().add("tunl0", up=False, hardware_type=768, iflink=0), ""),
}


@pytest.mark.parametrize(("host", "counted"), MACHINES.values(), ids=MACHINES)
def test_each_byte_of_the_wire_counts_once(host: Host, counted: str) -> None:
    """What runs over what decides, whatever its name."""
    assert host.counted == counted.split()


@pytest.mark.parametrize(
    ("names", "counted"),
    [
        (
            "lo docker0 br-1a2b br0 veth12 virbr0 bond0 eth0.10 wg0 ifb0 eth0 wlp3s0 broadcom",
            "broadcom eth0 wlp3s0",
        ),
        ("lo0 gif0 stf0 en0 en1 bridge0 utun3", "en0 en1"),
        ("em0 lagg0 epair0a pflog0 lo0", "em0"),
        ("Ethernet Wi-Fi vEthernet_External", "Ethernet Wi-Fi"),
        ("igb0 igb1 lagg0 vlan0.20 pppoe0 ovpns1 ipsec1 lo0", "igb0 igb1"),
        ("lo0 epair0b", "epair0b"),
    ],
)
def test_names_decide_where_nothing_else_is_told(names: str, counted: str) -> None:
    """Other systems, and roots without `sys`, tell names alone."""
    assert sorted(summed_interfaces(names.split(), {})) == counted.split()
    known = {"lo": Link(up=True, speed=None, attachment=LOOPBACK)}
    assert sorted(summed_interfaces(names.split(), known)) == counted.split()


def test_what_is_known_of_others_is_not_counted() -> None:
    """An interface that is gone or left out is not in the sum, nor does it keep its parts out."""
    host = Host().card("eth0", over="vf").card("vf", master="eth0")
    assert summed_interfaces(["lo", "vf"], host.links) == {"vf"}
