import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.agent.publishing.encoding import written, written_headline, written_info
from fleetglass.wire import decode
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import (
    MAX_PAYLOAD_BYTES,
    CollectorReport,
    CollectorRun,
    Container,
    ContainerEntry,
    Cpu,
    Custom,
    Disk,
    DiskDevice,
    Fan,
    FieldInfo,
    Filesystem,
    Group,
    GroupInfo,
    Info,
    Mount,
    Network,
    NetworkInterface,
    Process,
    ProcessEntry,
    Pulse,
    Sensor,
    Temperature,
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
    with pytest.raises(CollectionError, match="message of 21 bytes, expected at most 20"):
        written(Cpu(time=1.0, tick=1, load_1m=1.5), 20)
    few = Cpu(time=1.0, tick=1, load_1m=1.5, load_5m=1.0, core_percents=[1.0])
    assert written(few, 40) == (
        b'{"time":1.0,"tick":1,"core_percents":[]}',
        "only 0 of 1 core_percents, no load_5m, no load_1m: more do not fit into one message",
    )
    assert written(few, 30) == (
        b'{"time":1.0,"tick":1}',
        "no load_5m, no load_1m, no core_percents: more do not fit into one message",
    )


@pytest.mark.parametrize("room", [3000, 1500, 700])
def test_lists_and_several_fields_are_shortened_to_the_room_that_a_broker_gives(room: int) -> None:
    """The largest field loses its last entries first; below ten they go to five, two and one."""
    entries = [ProcessEntry(pid=number, name=f"program-{number}", resident_bytes=1) for number in range(20)]
    states = {"running": 1, "sleeping": 19}
    busy = Process(time=1.0, tick=1, count=20, states=states, top_cpu=entries, top_memory=entries[:10])
    hot = {f"chip/{number}": Temperature(current_celsius=40.5) for number in range(40)}
    fans = {f"chip/{number}": Fan(speed_rpm=900) for number in range(30)}
    cores = Cpu(time=1.0, tick=1, total_percent=1.0, core_percents=[12.5] * 256)
    for message in (busy, Sensor(time=1.0, tick=1, temperatures=hot, fans=fans), cores):
        payload, reason = written(message, room)
        assert len(payload) <= room
        told = decode(payload, type(message))
        for name in message.__struct_fields__:
            whole, part = getattr(message, name), getattr(told, name)
            if isinstance(whole, dict | list) and len(whole) != len(part):
                assert f"{len(part)} of {len(whole)} {name}" in (reason or "")
                assert len(part) in (1, 2, 5) or (len(part) % 10 == 0 and part)
                assert list(part) == list(whole)[: len(part)]
    assert decode(written(busy, room)[0], Process).states == states


def test_a_failed_collector_is_told_before_those_that_work() -> None:
    """Where the agent's own report is cut, what is wrong stays."""
    runs = {f"custom-{number}": CollectorRun(state="ok") for number in range(50)}
    runs |= {"disk": CollectorRun(state="failed", reason="no such file")}
    payload, _ = written(CollectorReport(time=1.0, tick=1, collectors=runs), 400)
    assert next(iter(decode(payload, CollectorReport).collectors)) == "disk"


def test_a_pulse_loses_its_last_fields() -> None:
    """The cores go first, and the stamp stays whatever the room."""
    pulse = Pulse(time=1.0, tick=1, session="abc", cpu_percent=5.0, load_1m=1.5, core_percents=[5] * 64)
    assert written_headline(pulse) == (msgspec.json.encode(pulse), [])
    payload, left_out = written_headline(pulse, 100)
    assert left_out == ["core_percents"]
    assert decode(payload, Pulse).load_1m == 1.5
    payload, left_out = written_headline(pulse, 10)
    assert left_out == ["core_percents", "load_1m", "cpu_percent"]
    assert msgspec.json.decode(payload) == {"time": 1.0, "tick": 1, "session": "abc"}


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
        ({"addresses": many}, ["addresses"]),
        ({"groups": groups}, ["fields"]),
    ):
        payload, left_out = written_info(msgspec.structs.replace(info, **change))
        assert len(payload) <= MAX_PAYLOAD_BYTES
        assert left_out == lost
        assert decode(payload, Info).groups.keys() == change.get("groups", {}).keys()
    small = msgspec.structs.replace(info, devices={"eth0": ["192.0.2.1"] * 200})
    assert written_info(small) == (msgspec.json.encode(small), [])
    assert written_info(small, 1000)[1] == ["devices"]
    full = msgspec.structs.replace(info, kernel="Linux 6.1", os_name="Debian", tags=["x" * 50])
    payload, left_out = written_info(full, 150)
    assert left_out == ["kernel", "tags"]
    assert decode(payload, Info).os_name == "Debian"
