import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.agent.publishing.encoding import written, written_info
from fleetglass.wire import decode
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import (
    MAX_PAYLOAD_BYTES,
    Container,
    ContainerEntry,
    Cpu,
    Custom,
    Disk,
    DiskDevice,
    FieldInfo,
    Filesystem,
    Group,
    GroupInfo,
    Info,
    Mount,
    Network,
    NetworkInterface,
    Unit,
    UnitEntry,
)


def kept(message: Group, field: str) -> list[str]:
    """Return the names that are sent."""
    payload, reason = written(message)
    assert len(payload) <= MAX_PAYLOAD_BYTES
    names = list(getattr(decode(payload, type(message)), field))
    assert (
        reason
        == f"only {len(names)} of {len(getattr(message, field))} {field}: more do not fit into one message"
    )
    assert len(names) % 10 == 0
    assert names
    return names


def test_what_fits_is_sent_as_it_is() -> None:
    """Nothing is left out, and nothing is said."""
    message = Cpu(time=1.0, tick=1, core_percents=[1.0])
    assert written(message) == (msgspec.json.encode(message), None)
    own = Custom(time=1.0, tick=1, values={"level": 1}, fields={})
    assert written(own) == (b'{"level":1,"time":1.0,"tick":1}', None)


def test_what_counts_in_the_headline_is_told_first() -> None:
    """Of interfaces those to the outside, of disks those in the sums stay; the rest as listed."""
    interfaces = {f"veth{number}": NetworkInterface(up=True) for number in range(5000)}
    interfaces |= {"eth0": NetworkInterface(up=True, in_total=True)}
    assert kept(Network(time=1.0, tick=1, interfaces=interfaces), "interfaces")[:2] == ["eth0", "veth0"]
    devices = {f"sda{number}": DiskDevice(read_total=1, in_total=False) for number in range(5000)}
    devices |= {"sda": DiskDevice(in_total=True)}
    assert kept(Disk(time=1.0, tick=1, devices=devices), "devices")[:2] == ["sda", "sda0"]


def test_the_fullest_filesystems_are_told() -> None:
    """Those that have room left are missed less."""
    mounts = {f"/mnt/{number}": Mount(used_percent=number / 50) for number in range(5000)}
    names = kept(Filesystem(time=1.0, tick=1, mounts=mounts | {"/proc-like": Mount()}), "mounts")
    assert names[0] == "/mnt/4999"
    assert "/mnt/0" not in names


def test_containers_that_run_are_told_first() -> None:
    """Those that ended are missed less."""
    containers = {f"old{number}": ContainerEntry(state="exited") for number in range(5000)}
    message = Container(time=1.0, tick=1, containers=containers | {"new": ContainerEntry(state="running")})
    assert kept(message, "containers")[:2] == ["new", "old0"]


def test_others_are_told_as_they_come() -> None:
    """Where nothing says what matters more, the first are told."""
    units = {f"{number}.service": UnitEntry(active_state="active") for number in range(5000)}
    assert kept(Unit(time=1.0, tick=1, failed_count=0, failed=[], units=units), "units")[0] == "0.service"


@given(st.integers(1, 300), st.integers(3, 3000))
def test_a_message_fits_whatever_is_in_it(entries: int, length: int) -> None:
    """However many there are, with names however long, what is sent fits, if only by telling none."""
    devices = {f"{number}".zfill(length): DiskDevice(reads_per_second=1) for number in range(entries)}
    payload, reason = written(Disk(time=1.0, tick=1, devices=devices))
    assert len(payload) <= MAX_PAYLOAD_BYTES
    assert (reason is None) == (len(decode(payload, Disk).devices) == entries)


def test_what_has_no_entries_to_leave_out_fails() -> None:
    """An own metric that is too large is refused with its size."""
    own = Custom(time=1.0, tick=1, values={"text": "x" * 70_000}, fields={})
    with pytest.raises(CollectionError, match=r"message of 700\d\d bytes, expected at most 65536"):
        written(own)
    with pytest.raises(CollectionError, match="expected at most 65536"):
        written(Cpu(time=1.0, tick=1, core_percents=[1.5] * 20_000))


def test_an_inventory_loses_what_readers_miss_least() -> None:
    """Devices go first, then addresses, then the units of fields; name and groups are always told."""
    info = Info(time=1.0, session="abc", host_name="web", agent_version="1", interval_seconds=1.0, groups={})
    assert written_info(info) == (msgspec.json.encode(info), [])
    many = {f"eth{number}": ["192.0.2.1"] for number in range(5000)}
    meant = {f"field{number}_bytes": FieldInfo(unit="bytes") for number in range(5000)}
    groups = {"custom-x": GroupInfo(interval_seconds=1.0, fields=meant)}
    for change, lost in (
        ({"devices": many}, ["devices"]),
        ({"devices": many, "networks": many}, ["devices", "networks"]),
        ({"addresses": many}, ["devices", "networks", "mac_addresses", "addresses"]),
        ({"groups": groups}, ["devices", "networks", "mac_addresses", "addresses", "fields"]),
    ):
        payload, left_out = written_info(msgspec.structs.replace(info, **change))
        assert len(payload) <= MAX_PAYLOAD_BYTES
        assert left_out == lost
        assert decode(payload, Info).groups.keys() == change.get("groups", {}).keys()
    small = msgspec.structs.replace(info, devices={"eth0": ["192.0.2.1"] * 200})
    assert written_info(small) == (msgspec.json.encode(small), [])
    assert written_info(small, 1000)[1] == ["devices"]
