import base64
import re
import subprocess
from pathlib import Path

import pytest

from fleetglass.cli.enrollment.access_control import new_password, password_hash, rules_text
from fleetglass.cli.enrollment.registry import Member, Registry, now
from support.secured_broker import passwords_program


def test_passwords_are_kept_as_mosquitto_does(tmp_path: Path) -> None:
    """With the same salt the hash is the very one that mosquitto's own program writes."""
    program = passwords_program()
    if program is None:
        pytest.skip("needs mosquitto_passwd: apt-get install mosquitto")
    file = tmp_path / "users"
    file.write_text("web-1:geheim\n")
    subprocess.run([program, "-U", str(file)], check=True, capture_output=True)
    theirs = file.read_text().strip().removeprefix("web-1:")
    salt = base64.b64decode(theirs.split("$")[3])
    assert password_hash("geheim", salt) == theirs


def test_passwords_are_long_and_never_the_same() -> None:
    """Each is 192 random bits in hexadecimal, and hashed with a salt of its own."""
    one, other = new_password(), new_password()
    assert one != other
    assert re.fullmatch(r"[0-9a-f]{48}", one)
    assert password_hash(one) != password_hash(one)


def test_rules_name_each_user() -> None:
    """Rules are of users, never patterns that anybody would fall under, under the fleet's prefix."""
    members = {
        "web-1": Member("host", now()),
        "reader.bridge": Member("bridge", now()),
        "reader.home-assistant": Member("home-assistant", now()),
        "reader.telegraf": Member("reader", now()),
        "fleetglass.forget": Member("remover", now()),
    }
    registry = Registry(["mqtts://b"], "fleet/paris", now(), now(), members)
    lines = [line for line in rules_text(registry).splitlines() if line and not line.startswith("#")]
    assert lines == [
        "user web-1",
        "topic write fleet/paris/web-1/+/#",
        "topic read fleet/paris/web-1/status",
        "topic read fleet/paris/web-1/doctor",
        "topic read fleet/paris/web-1/demand",
        "topic write homeassistant/device/web-1/config",
        "topic read homeassistant/status",
        "user reader.bridge",
        "topic read fleet/paris/#",
        "topic write fleet/paris/+/demand",
        "user reader.home-assistant",
        "topic read fleet/paris/+/status",
        "topic read fleet/paris/+/info",
        "topic read fleet/paris/+/summary",
        "topic readwrite homeassistant/#",
        "user reader.telegraf",
        "topic read fleet/paris/#",
        "user fleetglass.forget",
        "topic readwrite fleet/paris/#",
        "topic readwrite homeassistant/device/+/config",
    ]
