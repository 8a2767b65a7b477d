"""Which broker `up` uses: the one given, one that already runs, a private mosquitto, the embedded one."""

import importlib.util
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from fleetglass.cli.configuration.state_folder import state_folder
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.probe import probe
from fleetglass.wire.errors import CommandError

MOSQUITTO_FOLDERS = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
INSTALL_MOSQUITTO = "apt install mosquitto"


@dataclass(frozen=True, slots=True)
class BrokerChoice:
    """The broker to use."""

    url: BrokerURL
    description: str
    command: tuple[str, ...] = ()
    """Starts it; empty when it runs already."""
    saves_when_asked: bool = False
    """Whether it keeps its retained messages when it is ended by SIGTERM."""


def check_given(access: BrokerAccess) -> BrokerChoice:
    """Choose the broker that the user named: of a cluster, the first node that can be used.

    Raises:
        CommandError: it cannot be used.
    """
    answer = probe(access)
    for node in access.nodes[1:] if answer.outcome != "accepted" else ():
        if probe(node).outcome == "accepted":
            return BrokerChoice(node.url, f"the broker at {node.url}")
    if answer.outcome == "accepted":
        return BrokerChoice(access.url, f"the broker at {access.url}")
    if answer.outcome == "nothing":
        raise CommandError(f"broker: nothing answers at {access.url}: {answer.reason}")
    if answer.outcome == "no_mqtt":
        remedy = f"; {answer.remedy}" if answer.remedy else ""
        raise CommandError(f"broker: got {answer.reason}, expected an MQTT broker ({access.url}){remedy}")
    remedy = answer.remedy or (
        "put the user name into the address, the password into FLEETGLASS_PASSWORD or password_file"
    )
    raise CommandError(f"broker: {access.url} refuses: {answer.reason}; {remedy}")


def choose_local(port: int) -> BrokerChoice:
    """Choose a broker on this machine: one that answers on the port, else one of our own there.

    Raises:
        CommandError: something else holds the port, or no broker can be started.
    """
    url = BrokerURL("127.0.0.1", port)
    answer = probe(BrokerAccess(url=url))
    if answer.outcome == "accepted":
        return BrokerChoice(url, f"the broker that already runs on 127.0.0.1:{port}")
    if answer.outcome == "refused":
        raise CommandError(
            f"broker: the one on 127.0.0.1:{port} refuses: {answer.reason}; "
            f"name the user with --broker mqtt://USER@127.0.0.1:{port}, the password in FLEETGLASS_PASSWORD, "
            "or choose another port for a private broker with --broker-port"
        )
    if answer.outcome == "no_mqtt":
        raise CommandError(
            f"broker port: got {port} on 127.0.0.1, where another program listens ({answer.reason}); "
            "expected a free port or an MQTT broker; choose another with --broker-port"
        )
    if program := find_mosquitto():
        return BrokerChoice(url, f"a private mosquitto on {url}", _mosquitto_command(program, port), True)
    if importlib.util.find_spec("amqtt") is not None:
        return BrokerChoice(
            url,
            f"the embedded broker on {url}; for more than a home, {INSTALL_MOSQUITTO}",
            (sys.executable, "-m", "fleetglass.cli.embedded_broker", str(port)),
        )
    raise CommandError(
        f"broker: none runs on 127.0.0.1:{port} and none is installed; expected one of: "
        f"{INSTALL_MOSQUITTO}; --broker URL"
    )


def find_mosquitto() -> str | None:
    """Return the path of the mosquitto program; many systems keep it where users have no PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=MOSQUITTO_FOLDERS)


def configuration_folder() -> Path:
    """Return the folder with the broker's configuration: in the package, or in the repository beside it."""
    here = Path(__file__).resolve()
    for folder in (here.parents[1] / "mosquitto", here.parents[4] / "mosquitto"):
        if (folder / "private.conf").is_file():
            return folder
    raise CommandError(f"mosquitto/private.conf: got no such file, expected it in {here.parents[1]}")


def _mosquitto_command(program: str, port: int) -> tuple[str, ...]:
    folder = state_folder() / f"mosquitto-{port}"
    template = (configuration_folder() / "private.conf").read_text("utf-8")
    values = {"@PORT@": str(port), "@STATE@": f"{folder}/", "@USER@": _user()}
    for placeholder, value in values.items():
        template = template.replace(placeholder, value)
    configuration = folder / "mosquitto.conf"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        configuration.write_text(template, "utf-8")
    except OSError as error:
        raise CommandError(f"state folder: {(error.strerror or str(error)).lower()} ({folder})") from error
    return (program, "-c", str(configuration))


def _user() -> str:
    import getpass  # only here

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "nobody"
