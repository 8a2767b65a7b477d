"""Readings of UPSes from upsd of Network UPS Tools, by its text protocol (RFC 9271)."""

import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from fleetglass.agent.readings.files import finite
from fleetglass.agent.readings.types import BatteryReading
from fleetglass.wire.errors import CollectionError

_ANSWER_SECONDS = 5.0
_MOST_UPSES = 64
_MOST_LINES = 1000  # of one answer
_MOST_LINE_BYTES = 4096
_LONGEST_SECONDS = 10 * 86_400
_NAME = re.compile(r"[\w.-]{1,64}", re.ASCII)
_WORD = re.compile(r'"((?:\\.|[^"\\])*)"|(\S+)')
_WARNINGS = {
    "LB": "low-battery",
    "RB": "replace-battery",
    "OVER": "overload",
    "OFF": "off",
    "BYPASS": "bypass",
    "FSD": "shutting-down",
}


class UpsReadings(NamedTuple):
    """The UPSes that could be read, and a line for each that could not."""

    upses: list[BatteryReading]
    problems: list[str]


class UpsdReader:
    """Asks one upsd for all its UPSes, on a connection for each reading."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        answer_seconds: float = _ANSWER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._answer_seconds = answer_seconds
        self._clock = clock

    def __call__(self) -> UpsReadings:
        """Read every UPS.

        Raises:
            CollectionError: upsd does not answer in time, or not as upsd does.
        """
        deadline = self._clock() + self._answer_seconds
        try:
            with socket.create_connection(self._address, self._answer_seconds) as connection:
                session = _Session(connection, lambda: deadline - self._clock())
                return self._read(session)
        except TimeoutError as error:
            raise self._error(f"no answer within {self._answer_seconds:g} s") from error
        except OSError as error:
            raise self._error(error.strerror or str(error)) from error
        except ValueError as error:
            raise self._error(str(error)) from error

    def _read(self, session: "_Session") -> UpsReadings:
        upses, problems = [], []
        names = [words[1] for words in session.ask("UPS") if len(words) > 1 and _NAME.fullmatch(words[1])]
        for name in names[:_MOST_UPSES]:
            try:
                answer = list(session.ask(f"VAR {name}"))
            except _RefusedError as error:
                problems.append(
                    f"UPS {name}: got {error} from upsd, expected its values: is its driver running?"
                )
            else:
                upses.append(ups_of(name, {words[2]: words[3] for words in answer if len(words) == 4}))
        if not names:
            problems.append(f"{self._name} has no UPS: add one to ups.conf")
        return UpsReadings(upses, problems)

    @property
    def _name(self) -> str:
        host, port = self._address
        return f"upsd at {host}:{port}"

    def _error(self, got: str) -> CollectionError:
        return CollectionError(
            f"{self._name}: got {got}, expected a list of UPSes: is nut-server running there?"
        )


def ups_of(name: str, variables: Mapping[str, str]) -> BatteryReading:
    """Make a reading of the variables of one UPS."""

    def number(variable: str, highest: float = float("inf")) -> float | None:
        value = finite(variables.get(variable, ""))
        return value if value is not None and 0 <= value <= highest else None

    words = variables.get("ups.status", "").split()
    plugged = False if "OB" in words else True if "OL" in words else None
    charge, load, left = (
        number("battery.charge", 200),
        number("ups.load", 1000),
        number("battery.runtime", _LONGEST_SECONDS),
    )
    watts, nominal = number("ups.realpower"), number("ups.realpower.nominal")
    if watts is None and load is not None and nominal is not None:
        watts = load * nominal / 100
    return BatteryReading(
        name=name,
        charge=charge,
        plugged=plugged,
        left=None if left is None else int(left),
        status=_status(words, charge),
        watts=watts,
        volts=number("battery.voltage", 1000),
        is_ups=True,
        model=_model(variables),
        load=load,
        warnings=tuple(_WARNINGS[word] for word in words if word in _WARNINGS),
    )


def _status(words: list[str], charge: float | None) -> str | None:
    if "OB" in words or "DISCHRG" in words:
        return "discharging"
    if "CHRG" in words:
        return "charging"
    if "OL" not in words or charge is None:
        return None
    return "full" if charge >= 100 else "not-charging"


def _model(variables: Mapping[str, str]) -> str | None:
    maker, model = (
        (variables.get(f"device.{one}") or variables.get(f"ups.{one}") or "").strip()
        for one in ("mfr", "model")
    )
    return model if model.startswith(maker) and model else f"{maker} {model}".strip() or None


class _RefusedError(ValueError):
    """The answer of upsd is an error, such as DATA-STALE."""


class _Session:
    """A connection that ends at a deadline, whatever comes."""

    def __init__(self, connection: socket.socket, seconds_left: Callable[[], float]) -> None:
        self._connection = connection
        self._seconds_left = seconds_left
        self._received = bytearray()

    def ask(self, what: str) -> Iterator[list[str]]:
        """Yield the words of each line of a list.

        Raises:
            _RefusedError: upsd answers with an error.
            ValueError: this is no upsd.
        """
        self._connection.sendall(f"LIST {what}\n".encode())
        first = self._line()
        if first.startswith("ERR "):
            raise _RefusedError(first[4:][:100])
        if first != f"BEGIN LIST {what}":
            raise ValueError(f"{first[:100]!r}")
        for _ in range(_MOST_LINES):
            line = self._line()
            if line == f"END LIST {what}":
                return
            yield [re.sub(r"\\(.)", r"\1", quoted) or plain for quoted, plain in _WORD.findall(line)]
        raise ValueError(f"more than {_MOST_LINES} lines")

    def _line(self) -> str:
        while b"\n" not in self._received:
            if len(self._received) > _MOST_LINE_BYTES:
                raise ValueError(f"a line of more than {_MOST_LINE_BYTES} bytes")
            left = self._seconds_left()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            chunk = self._connection.recv(65536)
            if not chunk:
                raise ValueError("the end of the connection")
            self._received += chunk
        line, _, rest = self._received.partition(b"\n")
        self._received = rest
        return line.decode(errors="replace").rstrip("\r")
