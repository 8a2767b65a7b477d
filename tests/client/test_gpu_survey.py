import asyncio
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from fleetglass.client import Unreachable
from fleetglass.client.gpu_survey import Survey, SurveyedGpu, survey
from fleetglass.client.terminal.gpu_table import as_object, table
from fleetglass.wire import encode
from fleetglass.wire.payloads import GpuDevice, GpuInstance, GpuProcess, Summary
from fleetglass.wire.protocol import SummaryFrame
from support.samples import MadeUpHost
from support.scripted_source import ScriptedSource, changed, fleet

NOW = 1_795_000_000.0
HOSTS = [MadeUpHost(name, 1) for name in ("ml-1", "ml-2", "web-1")]
GIB = 2**30
ANNA = GpuProcess(pid=7, name="python3", user="anna", memory_bytes=38 * GIB, container="trainer")


def gpu(**values: Any) -> GpuDevice:
    usual: dict[str, Any] = {
        "name": "NVIDIA A100",
        "vendor": "NVIDIA",
        "index": 0,
        "state": "active",
        "busy_percent": 0.0,
        "memory_used_bytes": GIB // 2,
        "memory_total_bytes": 40 * GIB,
        "processes": [],
    }
    return GpuDevice(**(usual | values))


def summary(host: str, **gpus: GpuDevice) -> SummaryFrame:
    message = Summary(time=NOW, tick=1, gpus=gpus or UNSET)
    return SummaryFrame(host, msgspec.Raw(encode(message)))


def asked(*messages: Any, hosts: tuple[str, ...] = ()) -> Survey:
    """Return what is found after these messages, none of which may need a wait."""
    source = ScriptedSource()
    source.say(*messages)

    async def ask() -> Survey:
        async with asyncio.timeout(30):
            return await survey(source, hosts)

    return asyncio.run(ask())


def test_every_gpu_of_the_fleet_by_host_and_index() -> None:
    """It ends when every host has told its own; hosts without a GPU are counted."""
    found = asked(
        fleet(HOSTS, NOW),
        summary("ml-2", b=gpu(index=1), a=gpu(index=10), c=gpu(index=2)),
        summary("web-1"),
        summary("ml-1", a=gpu()),
    )
    assert [(one.host, one.device.index) for one in found.gpus] == [
        ("ml-1", 0),
        ("ml-2", 1),
        ("ml-2", 2),
        ("ml-2", 10),
    ]
    assert (found.hosts, found.away, found.unknown) == (3, {}, [])


def test_named_hosts_alone_are_waited_for() -> None:
    """The summaries of others are passed over, and a host that nobody knows is named."""
    found = asked(
        fleet(HOSTS, NOW), summary("ml-2", a=gpu()), summary("ml-1", a=gpu()), hosts=("ml-1", "nope")
    )
    assert [one.host for one in found.gpus] == ["ml-1"]
    assert (found.hosts, found.unknown) == (2, ["nope"])


def test_hosts_that_are_gone_have_no_gpus() -> None:
    """Nothing is known of the GPUs of a host that is away, though its summary is kept."""
    found = asked(
        fleet(HOSTS, NOW, **{"ml-1": "lost", "web-1": "suspended"}),
        changed("ml-2", "stopped", NOW),
        *(summary(host.id, a=gpu()) for host in HOSTS),
    )
    assert found.gpus == []
    assert found.away == {"ml-1": "lost", "ml-2": "stopped", "web-1": "suspended"}


def test_a_host_without_a_summary_does_not_hold_it_up() -> None:
    """Shortly after the last summary the survey ends without it."""
    assert [one.host for one in asked(fleet(HOSTS, NOW), summary("ml-1", a=gpu())).gpus] == ["ml-1"]


def test_a_lost_connection_is_an_error() -> None:
    """What the source raises ends the survey."""
    with pytest.raises(Unreachable):
        asked(fleet(HOSTS, NOW), Unreachable("gone"))


@pytest.mark.parametrize(
    ("values", "is_free"),
    [
        ({}, True),
        ({"busy_percent": 5.0}, False),
        ({"memory_used_bytes": 3 * GIB}, False),
        ({"memory_used_bytes": GIB, "memory_total_bytes": 8 * GIB}, False),
        ({"memory_used_bytes": GIB - 1, "memory_total_bytes": 8 * GIB}, True),
        ({"processes": [ANNA], "memory_used_bytes": 39 * GIB}, False),
        ({"processes": [GpuProcess(pid=1, name="Xorg", memory_bytes=4 * 2**20)]}, True),
        ({"busy_percent": UNSET}, True),
        ({"memory_used_bytes": UNSET}, True),
        ({"memory_used_bytes": UNSET, "processes": [ANNA]}, False),
        ({"memory_used_bytes": UNSET, "processes": UNSET}, False),
        ({"state": "suspended", "memory_used_bytes": UNSET, "processes": UNSET}, True),
    ],
)
def test_what_is_free(values: dict[str, Any], *, is_free: bool) -> None:
    """Little work and little memory; what is not known makes nothing free unless nobody uses it."""
    assert SurveyedGpu("ml-1", "a", gpu(**values)).is_free is is_free


def test_the_table_is_aligned_and_plain() -> None:
    """Every column has its width, and users come last; values that are not known are a dash."""
    other = GpuProcess(pid=9)
    users = "anna: python3 38 GiB (trainer), pid 9, 3 more"
    gpus = [
        SurveyedGpu("ml-1", "a", gpu(processes=[ANNA, other], process_count=5, busy_percent=97.6)),
        SurveyedGpu("gpu-server-12", "b", gpu(index=10, temperature_celsius=41.4)),
        SurveyedGpu("w", "0000:00:02.0", GpuDevice(vendor="Intel", state="active")),
    ]
    assert list(table(gpus)) == [
        "HOST           GPU           MODEL           USED   TOTAL    FREE  BUSY   TEMP  USERS",
        f"ml-1           0             NVIDIA A100  512 MiB  40 GiB  40 GiB   98%      —  {users}",
        "gpu-server-12  10            NVIDIA A100  512 MiB  40 GiB  40 GiB    0%  41 °C  nobody",
        "w              0000:00:02.0  Intel              —       —       —     —      —  —",
    ]
    assert [len(line) for line in table(gpus, 30)] == [30] * 4


def test_names_cannot_command_the_terminal() -> None:
    """What hosts and users chose is printed as text."""
    evil = GpuProcess(pid=7, name="\x1b]0;x\x07", user="\nroot", container="\x9b")
    device = gpu(name="A\x1b[2J", index=UNSET, processes=[evil])
    lines = list(table([SurveyedGpu("ml-1", "a\x1b[2J", device)]))
    assert all(line.isprintable() for line in lines)


def test_mig_instances_are_rows_of_their_own() -> None:
    """Each has its own memory and users; the work is that of the whole GPU, and not told."""
    device = gpu(
        processes=[GpuProcess(pid=7, name="python3", instance="1/0")],
        process_count=1,
        instances={
            "1/0": GpuInstance(profile="3g.20gb", memory_used_bytes=15 * GIB, memory_total_bytes=20 * GIB),
            "7/0": GpuInstance(memory_used_bytes=0, memory_total_bytes=5 * GIB),
        },
    )
    found = asked(fleet(HOSTS[:1], NOW), summary("ml-1", a=device))
    first, second = (as_object(one) for one in found.gpus)
    assert (first["instance"], first["memory_free_bytes"], first["free"]) == ("1/0", 5 * GIB, False)
    assert (second["processes"], second["memory_free_bytes"], second["free"]) == ([], 5 * GIB, True)
    assert not {"busy_percent", "process_count"} & first.keys()
    assert [line.split("NVIDIA")[0].split(maxsplit=1)[1].strip() for line in list(table(found.gpus))[1:]] == [
        "0 1/0 3g.20gb",
        "0 7/0",
    ]
