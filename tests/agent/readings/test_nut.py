import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetglass.agent.readings.nut import UpsdReader, UpsReadings, ups_of
from fleetglass.wire.errors import CollectionError
from support.ports import free_port
from support.upsd import Upsd, find_nut
from support.waiting import wait_for


@contextmanager
def text_server(*answers: str) -> Iterator[tuple[str, int]]:
    """Answer each line that comes with the next of these, then keep silent."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for answer in answers:
                self.rfile.readline()
                self.wfile.write(answer.encode())
            self.rfile.read()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            host, port = server.server_address[:2]
            yield str(host), int(port)
        finally:
            server.shutdown()
            thread.join()


def test_the_state_of_a_ups_follows_from_its_words() -> None:
    """On battery it discharges; on line it charges, is full, or does neither."""
    for words, charge, expected in (
        ("OL", "100", (True, "full", ())),
        ("OL", "97", (True, "not-charging", ())),
        ("OL CHRG", "42", (True, "charging", ())),
        ("OB DISCHRG LB", "9", (False, "discharging", ("low-battery",))),
        ("OB", "80", (False, "discharging", ())),
        ("OL DISCHRG CAL", "80", (True, "discharging", ())),
        ("OL RB OVER", "", (True, None, ("replace-battery", "overload"))),
        ("OFF", "100", (None, None, ("off",))),
        ("FSD OB LB", "5", (False, "discharging", ("shutting-down", "low-battery"))),
        ("", "100", (None, None, ())),
    ):
        found = ups_of("rack", {"ups.status": words, "battery.charge": charge})
        assert (found.plugged, found.status, found.warnings) == expected, words


def test_the_values_of_a_ups() -> None:
    """Power is told, or follows from the load; a model has its maker in front."""
    eaton = ups_of(
        "rack",
        {
            "battery.charge": "87.5",
            "battery.runtime": "1890.00",
            "battery.voltage": "13.6",
            "ups.load": "23",
            "ups.realpower.nominal": "500",
            "device.mfr": "EATON",
            "device.model": "Ellipse PRO 850 ",
        },
    )
    assert (eaton.charge, eaton.left, eaton.volts, eaton.watts, eaton.load) == (87.5, 1890, 13.6, 115.0, 23.0)
    assert (eaton.model, eaton.is_ups) == ("EATON Ellipse PRO 850", True)
    told = ups_of("b", {"ups.realpower": "61", "ups.load": "9", "ups.model": "APC 900", "ups.mfr": "APC"})
    assert (told.watts, told.model) == (61.0, "APC 900")


def test_nonsense_of_a_ups_is_absent() -> None:
    """What is no number, negative or absurd costs its own value."""
    found = ups_of(
        "rack",
        {"battery.charge": "-1", "battery.runtime": "9999999", "battery.voltage": "n/a", "ups.load": "nan"},
    )
    assert (found.charge, found.left, found.volts, found.load, found.watts, found.model) == (None,) * 6


def test_answers_are_parsed() -> None:
    """Values in quotes may hold quotes and spaces; a name that is none is not asked for."""
    with text_server(
        'BEGIN LIST UPS\nUPS a "Rack \\"1\\""\nUPS "b c" "x"\nUPS d "y"\nEND LIST UPS\n',
        'BEGIN LIST VAR a\nVAR a device.model "Big \\"Black\\" Box"\nVAR a ups.status "OL"\nEND LIST VAR a\n',
        "ERR DATA-STALE\n",
    ) as address:
        found = UpsdReader(address)()
    [ups] = found.upses
    assert (ups.name, ups.model, ups.plugged) == ("a", 'Big "Black" Box', True)
    assert found.problems == ["UPS d: got DATA-STALE from upsd, expected its values: is its driver running?"]


@pytest.mark.parametrize(
    ("answers", "got"),
    [
        (("SSH-2.0-OpenSSH_9.2\n",), "got 'SSH-2.0-OpenSSH_9.2', expected a list of UPSes"),
        (("ERR ACCESS-DENIED\n",), "got ACCESS-DENIED"),
        (("x" * 5000,), "got a line of more than 4096 bytes"),
        (("BEGIN LIST UPS\n" + 2000 * "UPS a b\n",), "got more than 1000 lines"),
        ((), r"got no answer within 0.2 s"),
        (("BEGIN LIST UPS\n",), r"got no answer within 0.2 s"),
    ],
)
def test_what_is_no_upsd_costs_one_line(answers: tuple[str, ...], got: str) -> None:
    """Whatever answers there, or does not, is named with what to look at."""
    with text_server(*answers) as address, pytest.raises(CollectionError) as caught:
        UpsdReader(address, answer_seconds=0.2 if "within" in got else 5.0)()
    assert str(caught.value).startswith(f"upsd at 127.0.0.1:{address[1]}: {got}")
    assert str(caught.value).endswith("is nut-server running there?")


def test_nobody_listens() -> None:
    """A upsd that is not there costs one line."""
    with pytest.raises(CollectionError, match="got Connection refused, expected a list of UPSes"):
        UpsdReader(("127.0.0.1", free_port()))()


def test_a_upsd_without_a_ups() -> None:
    """It answers, but there is nothing to read."""
    with text_server("BEGIN LIST UPS\nEND LIST UPS\n") as (host, port):
        assert UpsdReader((host, port))() == UpsReadings(
            [], [f"upsd at 127.0.0.1:{port} has no UPS: add one to ups.conf"]
        )


@pytest.mark.skipif(find_nut() is None, reason="needs upsd and dummy-ups: apt-get install nut-server")
def test_a_real_upsd_is_read(tmp_path: Path) -> None:
    """A power cut is seen, and so is a driver that ends."""
    upsd = Upsd(tmp_path)
    upsd.say(battery_charge="100", ups_status="OL", ups_load="20", ups_realpower_nominal="400")

    def read() -> UpsReadings:
        try:
            return UpsdReader(("127.0.0.1", upsd.port))()
        except CollectionError:
            return UpsReadings([], [])

    with upsd:
        [ups] = wait_for(lambda: [one for one in read().upses if one.watts is not None], "the UPS")
        assert (ups.name, ups.charge, ups.plugged, ups.status, ups.watts) == (
            "rack",
            100.0,
            True,
            "full",
            80.0,
        )
        upsd.say(battery_charge="93", battery_runtime="1200", ups_status="OB DISCHRG")
        [ups] = wait_for(lambda: [one for one in read().upses if one.plugged is False], "the power cut")
        assert (ups.charge, ups.left, ups.status) == (93.0, 1200, "discharging")
        upsd.end_driver()
        problem = wait_for(lambda: read().problems, "the end of the driver")[0]
        assert problem.startswith("UPS rack: got DRIVER-NOT-CONNECTED from upsd")


def test_a_server_that_drips_is_given_up() -> None:
    """The time is of the whole reading, not of each answer."""
    now = [0.0]

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"BEGIN LIST UPS\n")
            for _ in range(100):
                now[0] += 1.0
                try:
                    self.wfile.write(b'UPS a "b"\n')
                except OSError:
                    return
                if now[0] > 10:
                    self.rfile.read()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        address = ("127.0.0.1", int(server.server_address[1]))
        with pytest.raises(CollectionError, match="no answer within 5 s"):
            UpsdReader(address, clock=lambda: now[0])()
        server.shutdown()
