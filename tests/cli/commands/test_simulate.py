import signal
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import paho.mqtt.client as paho
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from fleetglass.cli.simulator.host_publisher import summarise
from fleetglass.cli.simulator.simulated_fleet import MAX_CONNECTIONS
from fleetglass.cli.simulator.synthetic_messages import EVERY_TICK
from fleetglass.wire import Topics, decode
from fleetglass.wire.payloads import Info, Pulse, Status
from support.mosquitto import Mosquitto
from support.waiting import wait_for

pytestmark = pytest.mark.broker
Start = Callable[..., Any]


class Reader:
    """All that was published under a prefix, by topic."""

    def __init__(self, url_port: int, prefix: str) -> None:
        self.port = url_port
        self.topics = Topics(prefix)
        self.payloads: dict[str, list[bytes]] = defaultdict(list)
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._note
        self.client.connect("127.0.0.1", url_port)
        self.client.subscribe(f"{prefix}/#", 1)
        self.client.loop_start()

    def last_state(self, host: str) -> str | None:
        """Return the last state that a host published."""
        payloads = [one for one in self.payloads.get(self.topics.leaf(host, "status"), []) if one]
        return decode(payloads[-1], Status).state if payloads else None

    def retained(self) -> set[str]:
        """Return the topics whose last message was retained and not empty, as a new reader sees them."""
        again = Reader(self.port, self.topics.prefix)
        again.client.publish(f"{self.topics.prefix}/mark", b"{}", qos=1)
        wait_for(lambda: again.payloads.get(f"{self.topics.prefix}/mark"), "the end of what is retained")
        again.client.disconnect()
        again.client.loop_stop()
        return again.payloads.keys() - {f"{self.topics.prefix}/mark"}

    def pulses(self, host: str) -> list[Pulse]:
        """Return all pulses of a host."""
        return [decode(payload, Pulse) for payload in list(self.payloads[self.topics.leaf(host, "pulse")])]

    def _note(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self.payloads[message.topic].append(bytes(message.payload))


@pytest.fixture
def reader(mosquitto: Mosquitto, prefix: str) -> Iterator[Reader]:
    """Give what reads everything under the test's prefix."""
    one = Reader(mosquitto.port, prefix)
    yield one
    one.client.disconnect()
    one.client.loop_stop()


def simulate(start: Start, broker: Mosquitto, prefix: str, *words: str) -> Any:
    return start("simulate", "--broker", broker.url, "--prefix", prefix, *words)


def test_publishes_what_an_agent_would(
    start: Start, mosquitto: Mosquitto, prefix: str, reader: Reader
) -> None:
    """Every host is online with its info, and publishes pulse and groups tick by tick without a gap."""
    simulate(start, mosquitto, prefix, "--hosts=40", "--interval=0.5", "--cores=2")
    ids = [f"sim-{number:04}" for number in range(1, 41)]
    wait_for(lambda: all(len(reader.pulses(host)) >= 4 for host in ids), "four pulses of each host")
    for host in ids:
        assert reader.last_state(host) == "online"
        info = decode(reader.payloads[reader.topics.leaf(host, "info")][-1], Info)
        assert (info.synthetic, info.logical_cores, info.interval_seconds) == (True, 2, 0.5)
        pulses = reader.pulses(host)
        ticks = [pulse.tick for pulse in pulses]
        assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
        assert {pulse.session for pulse in pulses} == {info.session}
        for group in (*EVERY_TICK, "process", "filesystem"):
            assert reader.payloads[reader.topics.live(host, group)]
    # Phases are spread: not all of the fleet falls into one tenth of the interval.
    phases = {int(reader.pulses(host)[0].time * 20) % 10 for host in ids}
    assert len(phases) > 5


def test_clean_end(start: Start, mosquitto: Mosquitto, prefix: str, reader: Reader) -> None:
    """After the duration every host says that it stopped and clears what it retained; the exit code is 0."""
    program = simulate(start, mosquitto, prefix, "--hosts", "50", "--duration", "1")
    assert program.process.wait() == 0
    ids = [f"sim-{number:04}" for number in range(1, 51)]
    wait_for(lambda: all(reader.last_state(host) == "stopped" for host in ids), "all goodbyes")
    assert "Traceback" not in program.err
    assert not reader.retained()


def test_hosts_that_sleep(start: Start, mosquitto: Mosquitto, prefix: str, reader: Reader) -> None:
    """The last hosts publish one tick and then that they sleep; at the end they stop like the others."""
    program = simulate(start, mosquitto, prefix, "--hosts=3", "--suspended=2", "--interval=0.5")
    wait_for(lambda: len(reader.pulses("sim-0001")) >= 4, "some pulses")
    for host in ("sim-0002", "sim-0003"):
        assert (reader.last_state(host), len(reader.pulses(host))) == ("suspended", 1)
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait() == 0
    wait_for(lambda: reader.last_state("sim-0003") == "stopped", "the goodbye")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("hosts", [2, 200])
def test_signal_ends_it(
    start: Start, mosquitto: Mosquitto, prefix: str, reader: Reader, number: signal.Signals, hosts: int
) -> None:
    """A signal ends it in under 3 s, with a goodbye; nothing of any host is left, however they connect."""
    program = simulate(start, mosquitto, prefix, "--hosts", str(hosts))
    wait_for(lambda: reader.last_state(f"sim-{hosts:04}") == "online", "the hosts")
    program.process.send_signal(number)
    assert program.process.wait() == 0
    wait_for(lambda: reader.last_state(f"sim-{hosts:04}") == "stopped", "the goodbye")
    assert not reader.retained()


def test_a_broker_that_is_gone_at_the_end(start: Start, own_mosquitto: Mosquitto, prefix: str) -> None:
    """Where nothing could be cleared, one line names the command that does it later."""
    reader = Reader(own_mosquitto.port, prefix)
    program = simulate(start, own_mosquitto, prefix, "--hosts", "2")
    wait_for(lambda: reader.last_state("sim-0002") == "online", "the hosts")
    reader.client.loop_stop()
    own_mosquitto.kill()
    wait_for(lambda: "connection lost" in program.err, "the loss")
    program.process.terminate()
    assert program.process.wait() == 0
    command = f"fleetglass forget 'sim-*' --broker {own_mosquitto.url} --prefix {prefix}"
    assert program.err.splitlines()[-1].endswith(f"to clear those that remain: {command}")


def test_wills(start: Start, mosquitto: Mosquitto, prefix: str, reader: Reader) -> None:
    """Up to 32 hosts have a will each; beyond, each connection has one."""
    program = simulate(start, mosquitto, prefix, "--hosts", "3")
    ids = [f"sim-{number:04}" for number in (1, 2, 3)]
    wait_for(lambda: all(reader.last_state(host) == "online" for host in ids), "the hosts")
    program.process.kill()
    wait_for(lambda: all(reader.last_state(host) == "lost" for host in ids), "the wills")
    assert len({reader.payloads[reader.topics.leaf(host, "status")][-1] for host in ids}) == 3


def test_connections_are_few(start: Start, mosquitto: Mosquitto, prefix: str, reader: Reader) -> None:
    """A large fleet shares 32 connections."""
    program = simulate(start, mosquitto, prefix, "--hosts", "100")
    wait_for(lambda: reader.last_state("sim-0100") == "online", "the last host")
    connections = psutil.Process(program.process.pid).net_connections("tcp")
    assert sum(connection.status == psutil.CONN_ESTABLISHED for connection in connections) == MAX_CONNECTIONS


def test_broker_that_comes_back(start: Start, own_mosquitto: Mosquitto, prefix: str) -> None:
    """After the broker died and came back, the hosts are online and publish again."""
    before = Reader(own_mosquitto.port, prefix)
    simulate(start, own_mosquitto, prefix, "--hosts", "5")
    wait_for(lambda: before.pulses("sim-0005"), "the first pulse")
    before.client.disconnect()
    before.client.loop_stop()
    own_mosquitto.kill()
    own_mosquitto.start()
    after = Reader(own_mosquitto.port, prefix)
    wait_for(lambda: after.last_state("sim-0005") == "online" and after.pulses("sim-0005"), "it again")
    after.client.disconnect()
    after.client.loop_stop()


def test_summary_is_the_mean() -> None:
    """A summary holds means, rounded as the values are, without what no pulse had."""
    pulses = [
        Pulse(
            time=float(tick),
            tick=tick,
            session="s",
            cpu_percent=10.0 * tick,
            process_count=tick,
            load_1m=0.111,
        )
        for tick in (1, 2, 4)
    ]
    summary = summarise(pulses, 5.0)
    assert (summary.time, summary.tick, summary.boot_time) == (4.0, 4, 5.0)
    assert (summary.cpu_percent, summary.process_count, summary.load_1m) == (23.3, 2, 0.11)
    assert summary.memory_percent is msgspec.UNSET
