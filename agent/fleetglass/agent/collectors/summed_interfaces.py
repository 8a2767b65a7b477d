"""Which interfaces are counted in a host's traffic, so that each byte on the wire counts once.

Bridges, bonds, VLANs, tunnels and the cables of containers carry what passes another interface as well: where
there is hardware, it alone is counted. A container has none, and counts what leads out of it.
"""

import re
from collections.abc import Iterable, Mapping

from fleetglass.agent.readings.types import Attachment, Link
from fleetglass.agent.selection import DEFAULT_INTERFACES

_ETHERNET, _INFINIBAND, _PPP, _RAW_IP, _LOOPBACK = 1, 32, 512, 519, 772
_IFF_LOOPBACK, _IFF_NOARP = 0x8, 0x80
_SERIAL = {256, 257, 258, 259, _PPP}
# Monitors of Wi-Fi, netlink and vsock tell what another interface has received or sent.
_COPIES = {801, 802, 803, 824, 826}
_VIRTUAL_CAN = 280
_TUNNELS = {768, 769, 776, 777, 778, 823, 65534}
_TUNNEL_KINDS = {"amt", "bareudp", "batadv", "geneve", "gtp", "hsr", "lowpan", "macsec", "ovpn", "vrf"}
_TUNNEL_KINDS |= {"vxlan", "wireguard"}
_CABLES = {"", "veth", "netkit", "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"}
# Ports of the switch in a network card that lead to its virtual functions (kernel: networking/switchdev.rst).
_TO_FUNCTION = re.compile(r"(c\d+)?pf\d+((vf|sf)\d+)?\Z")
_INNER_NAME = re.compile(
    r"(lo\d*|(Npcap )?Loopback.*|veth.*|br-.*|br\d+|bridge\d*|docker.*|podman\d+|virbr.*|vmbr.*|lxcbr.*"
    r"|lxdbr.*|incusbr.*|fw(br|pr|ln)\d.*|vnet.*|tap.*|cni.*|flannel.*|cali.*|cilium.*|vxlan.*|ifb\d+|dummy\d+"
    r"|bond\d+|team\d+|lagg\d+|vlan\d+(\.\d+)?|tun.*|utun.*|wg.*|[Tt]ailscale.*|zt.*|gif\d+|stf\d+|gre\d+"
    r"|epair.*|enc\d+|pflog\d+|pfsync\d+|pppoe.*|ovpn[cs]?\d+|ipsec\d+|ovs-system|vboxnet\d+|vmnet\d+"
    r"|vmenet\d+|vEthernet.*|VirtualBox .*|VMware .*|OpenVPN .*|ZeroTier .*)\Z"
)
_LOOPBACK_NAME = re.compile(r"lo\d*\Z|Loopback")


def summed_interfaces(names: Iterable[str], links: Mapping[str, Link]) -> set[str]:
    """Return which of the interfaces `names` are counted, by what `links` tells of them.

    An interface of which nothing is told is judged by its name.
    """
    names = set(names)
    known = {
        name: link.attachment for name, link in links.items() if name in names and link.attachment is not None
    }
    if all(map(_is_loopback, known.values())):
        known = {}
    counted = _outer_names(names - known.keys())
    if not known:
        return counted or {name for name in names if not _LOOPBACK_NAME.match(name)}
    up = {name for name in known if links[name].up}
    hardware = _without_xen_guests({name for name in known if _is_hardware(name, known)}, known)
    if hardware:
        return counted | hardware | _beside_hardware(hardware, known, up)
    return counted | _ways_out(known, up)


def _is_hardware(name: str, known: Mapping[str, Attachment]) -> bool:
    one = known[name]
    if not one.has_device or one.kind == "dsa" or one.hardware_type in _COPIES:
        return False  # the ports of a switch chip are reached through the interface it hangs on
    if one.bus == "xen-backend" or _TO_FUNCTION.match(one.port):
        return False
    # A virtual function that Hyper-V or virtio lends for speed: the master counts what passes it.
    if one.master in known and known[one.master].has_device:
        return False
    # A child of InfiniBand has queues and counters of its own, unlike any other that runs over hardware.
    return one.hardware_type == _INFINIBAND or not any(
        other.ifindex == one.iflink != one.ifindex and other.has_device for other in known.values()
    )


def _without_xen_guests(hardware: set[str], known: Mapping[str, Attachment]) -> set[str]:
    """Leave out the cables to guests of Xen. Both of their ends have the driver `vif`.

    Where the bus does not tell, a machine with a real card is the one that has guests.
    """
    unclear = {name for name in hardware if known[name].driver == "vif" and not known[name].bus}
    return hardware - unclear or hardware


def _beside_hardware(hardware: set[str], known: Mapping[str, Attachment], up: set[str]) -> set[str]:
    """Return what leads out without any hardware of its own.

    That is PPP over a serial line, while nothing else is up or where only it leads further; the virtual cable
    of a container that was given a card as well; and a line whose driver names no device, as of some modems.
    """
    has_pppoe = any(one.carries_pppoe for one in known.values())
    has_switch = any(one.master == "ovs-system" for one in known.values())  # whose own ports are as nameless
    found = set()
    for name, one in known.items():
        leads_further = one.has_default_route and not any(
            other.has_gateway for key, other in known.items() if key != name
        )
        if _is_serial(one):
            leads_out = not has_pppoe and (leads_further or not hardware & up)
        else:
            leads_out = (one.has_default_route and _is_cable_from_outside(one, known)) or (
                not has_switch and _is_line(one, known) and _carries_the_way_out(name, known)
            )
        if leads_out:
            found.add(name)
    return found


def _is_cable_from_outside(one: Attachment, known: Mapping[str, Attachment]) -> bool:
    return (
        not one.has_device
        and one.kind in _CABLES
        and one.hardware_type == _ETHERNET
        and bool(one.iflink)
        and one.iflink != one.ifindex
        and not one.lowers & known.keys()
        and not _is_bridged(one, known)
    )


def _is_line(one: Attachment, known: Mapping[str, Attachment]) -> bool:
    return (
        _is_end(one, known)
        and not one.has_device
        and not one.kind
        and one.hardware_type in {_ETHERNET, _RAW_IP}
        and one.iflink == one.ifindex
        and not _is_bridged(one, known)
    )


def _carries_the_way_out(name: str, known: Mapping[str, Attachment]) -> bool:
    number = known[name].ifindex
    return any(
        one.has_default_route or one.carries_pppoe
        for one in known.values()
        if name in one.lowers or one.iflink == number
    )


def _ways_out(known: Mapping[str, Attachment], up: set[str]) -> set[str]:
    """Return what leads out of a network without hardware, such as a container's.

    What carries the others comes first: cables, then PPP, then what a program makes (slirp4netns, pasta),
    then tunnels, then a bridge of which no port tells that it leads out, and last whatever is read at all.
    """
    ends = {name for name, one in known.items() if _is_end(one, known)}
    free = {name for name in ends if not _is_bridged(known[name], known)}
    links = {name for name in ends if _is_plain(known[name])}
    outward = {name for name in links if not _leads_inward(name, known)}
    return (
        outward & free
        or _outer_names(outward)
        or links & free
        or {name for name in free & up if _is_serial(known[name])}
        or {name for name in free & up if known[name].kind == "tun"}
        or {name for name in free & up if known[name].kind != "tun"}
        or {name for name in up if known[name].kind == "bridge"}
        or ends & up
    )


def _leads_inward(name: str, known: Mapping[str, Attachment]) -> bool:
    """Whether it is a cable to a container in this one, as in a node of Kubernetes that is a container.

    Both ends may be here; else engines name the end that is here.
    """
    one = known[name]
    has_both_ends = one.iflink != one.ifindex and any(
        (one.iflink, one.ifindex) == (other.ifindex, other.iflink) for other in known.values()
    )
    return has_both_ends or not (one.has_default_route or DEFAULT_INTERFACES.takes(name))


def _is_end(one: Attachment, known: Mapping[str, Attachment]) -> bool:
    """Whether something may lead out: it is made of no other interface, and is no dummy."""
    if _is_loopback(one) or one.hardware_type in {*_COPIES, _VIRTUAL_CAN} or one.kind == "bridge":
        return False
    is_dummy = (
        one.hardware_type == _ETHERNET
        and not one.kind
        and bool(one.flags & _IFF_NOARP)
        and one.iflink == one.ifindex
    )
    return not is_dummy and not one.lowers & known.keys()


def _is_loopback(one: Attachment) -> bool:
    return one.hardware_type == _LOOPBACK or one.flags & _IFF_LOOPBACK != 0


def _is_bridged(one: Attachment, known: Mapping[str, Attachment]) -> bool:
    master = known.get(one.master)
    in_bridge = master is not None and master.kind == "bridge"
    return in_bridge or one.is_bridge_port or one.master == "ovs-system"


def _is_serial(one: Attachment) -> bool:
    return one.hardware_type in _SERIAL or one.kind == "ppp"


def _is_plain(one: Attachment) -> bool:
    """Whether it carries others, unlike what is made to run over them."""
    return (
        not _is_serial(one)
        and one.hardware_type not in _TUNNELS
        and one.kind not in {*_TUNNEL_KINDS, "tun"}
        and one.iflink != 0  # a tunnel that is bound to no interface
    )


def _outer_names(names: Iterable[str]) -> set[str]:
    """Return those that are counted as far as names tell; `eth0.10`, a VLAN, is counted with `eth0`."""
    names = set(names)
    return {
        name
        for name in names
        if not _INNER_NAME.match(name) and not ("." in name and name.partition(".")[0] in names)
    }
