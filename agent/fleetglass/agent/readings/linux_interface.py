"""What `/sys/class/net` tells of network interfaces, and what the kernel's routes and radios add to it.

Kernel: Documentation/ABI/testing/sysfs-class-net and Documentation/networking/operstates.rst. Of another
root, a link may have been copied as what it leads to, or as a file that holds its target.
"""

import contextlib
import os
from collections.abc import Collection

from fleetglass.agent.readings.files import list_folder, read_file, read_text, read_whole
from fleetglass.agent.readings.linux_network import Route, parse_routes
from fleetglass.agent.readings.types import Attachment, Link, printable

_IFF_UP = 1
_PPP = 512
_ROUTES_BYTES = 4096  # default routes come first; a router has a million of them
_PLAUSIBLE_DBM = range(-120, 0)


class LinkReader:
    """Reads the state of interfaces, and of each only once what cannot change while it exists."""

    def __init__(self, folder: str, net: str) -> None:
        """Read interfaces of a folder like `/sys/class/net`; `net` is the folder of their `/proc/net`."""
        self._folder = folder
        self._net = net
        self._fixed: dict[str, tuple[int, Attachment | None]] = {}  # with the number of its folder

    def __call__(self, names: Collection[str]) -> dict[str, Link]:
        """Return the state of the interfaces of these names."""
        routes = read_routes(self._net)
        signals = parse_wireless(read_text(f"{self._net}/wireless") or "")
        links, before, self._fixed = {}, self._fixed, {}
        for entry in list_folder(self._folder):
            name = printable(entry)
            if name not in names:
                continue  # left out, or a file such as bonding_masters
            path, content = _interface(self._folder, entry)
            if not content:
                continue
            number = _folder_number(path)
            known = before.get(name)
            fixed = known[1] if known is not None and known[0] == number else _fixed(path, content)
            self._fixed[name] = number, fixed
            flags = _flags(f"{path}/flags")
            own = [one for one in routes if one.interface == name]
            links[name] = Link(
                up=_is_up(read_text(f"{path}/operstate"), flags),
                speed=_speed(path),
                signal=signals.get(name),
                attachment=fixed and _attachment(fixed._replace(flags=flags or 0), path, content, own),
            )
        if any(one.attachment and one.attachment.hardware_type == _PPP for one in links.values()):
            _note_pppoe(links, read_text(f"{self._net}/pppoe") or "")
        return links


def read_mac_addresses(folder: str, names: Collection[str]) -> dict[str, str]:
    """Return the hardware addresses of the interfaces of these names that have one."""
    found = {}
    for entry in list_folder(folder):
        if (name := printable(entry)) in names:
            address = read_text(f"{_interface(folder, entry)[0]}/address") or ""
            # What is shorter is the IP address of a tunnel's end.
            if address.count(":") >= 5 and address.strip("0:"):
                found[name] = address
    return found


def interface_names(folder: str) -> list[str]:
    """Return the names of all interfaces, with those of files between them."""
    return [printable(entry) for entry in list_folder(folder)]


def read_routes(net: str) -> list[Route]:
    """Return the first routes of IPv4 in a folder like `/proc/net`, the default ones among them."""
    try:
        return parse_routes(read_file(f"{net}/route", _ROUTES_BYTES).decode(errors="replace"))
    except OSError:
        return []


def parse_wireless(text: str) -> dict[str, int]:
    """Return the signals in dBm that the text of `/proc/net/wireless` tells.

    Drivers that have their own scale tell a positive level, and -256 is no level at all.
    """
    signals = {}
    for line in text.splitlines()[2:]:
        name, _, rest = line.rpartition(":")
        with contextlib.suppress(IndexError, ValueError):
            level = int(rest.split()[2].rstrip("."))
            if level in _PLAUSIBLE_DBM:
                signals[name.strip()] = level
    return signals


def _interface(folder: str, entry: str) -> tuple[str, list[str]]:
    """Return the folder of an interface and its content, none where there is none."""
    path = f"{folder}/{entry}"
    content = list_folder(path)
    if not content and (target := read_text(path)) is not None and "/" in target:
        path = os.path.normpath(f"{folder}/{target}")
        content = list_folder(path)
    return path, content


def _folder_number(path: str) -> int:
    """Return what tells a folder from one that takes its place under the same name."""
    with contextlib.suppress(OSError):
        return os.stat(path).st_ino  # noqa: PTH116 -- a Path costs more
    return 0


def _is_up(state: str | None, flags: int | None) -> bool | None:
    if state is None or flags is None:
        return None
    return state in {"up", "unknown"} and flags & _IFF_UP != 0


def _speed(path: str) -> int | None:
    # In megabits; what has no speed says -1, or the same without a sign, or refuses.
    speed = read_whole(f"{path}/speed") or 0
    return speed * 125_000 if 0 < speed < 2**31 and speed != 65535 else None


def _flags(path: str) -> int | None:
    with contextlib.suppress(ValueError):
        return int(read_text(path) or "", 16)
    return None


def _fixed(path: str, content: Collection[str]) -> Attachment | None:
    """Return what an interface is, or None where the files that tell are missing."""
    ifindex, kind = read_whole(f"{path}/ifindex"), _uevent(path).get("DEVTYPE", "")
    hardware_type = read_whole(f"{path}/type")
    has_device = "device" in content
    if ifindex is None and hardware_type is None and not has_device and not kind:
        return None
    for file, implied in (("tun_flags", "tun"), ("bridge", "bridge"), ("bonding", "bond")):
        if file in content:
            kind = implied
    device = _uevent(f"{path}/device") if has_device else {}
    driver = device.get("DRIVER", "")
    bus = device.get("MODALIAS", "").partition(":")[0]
    return Attachment(
        ifindex=ifindex,
        iflink=read_whole(f"{path}/iflink"),
        hardware_type=hardware_type,
        kind=kind,
        has_device=has_device,
        driver=driver,
        # Only of Xen does it matter, and older kernels have no MODALIAS there.
        bus=bus or (_target(f"{path}/device/subsystem") if driver == "vif" else ""),
        port=(read_text(f"{path}/phys_port_name") or "") if has_device else "",
    )


def _attachment(fixed: Attachment, path: str, content: Collection[str], routes: list[Route]) -> Attachment:
    """Add what may change; `routes` are those of this interface."""
    return fixed._replace(
        master=_target(f"{path}/master") if "master" in content else "",
        lowers=frozenset(one.removeprefix("lower_") for one in content if one.startswith("lower_")),
        is_bridge_port="brport" in content,
        has_default_route=any(one.is_default for one in routes),
        has_gateway=any(one.gateway for one in routes),
    )


def _uevent(path: str) -> dict[str, str]:
    lines = (read_text(f"{path}/uevent") or "").splitlines()
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def _target(path: str) -> str:
    """Return the name of what a link leads to."""
    try:
        target = os.readlink(path)  # noqa: PTH115 -- a Path costs more
    except OSError:
        target = read_text(path) or _uevent(path).get("INTERFACE", "")
    return printable(target.rpartition("/")[2])


def _note_pppoe(links: dict[str, Link], text: str) -> None:
    """Note which interfaces carry sessions of PPP over Ethernet, by the text of `/proc/net/pppoe`."""
    for line in text.splitlines()[1:]:
        name = (line.split() or [""])[-1]
        if name in links and (attachment := links[name].attachment) is not None:
            links[name] = links[name]._replace(attachment=attachment._replace(carries_pppoe=True))
