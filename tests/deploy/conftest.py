from collections.abc import Iterator

import pytest

from support.consumers import Fleet, running_fleet
from support.mosquitto import find_mosquitto
from support.secured_broker import SecuredBroker, secured_broker


@pytest.fixture(scope="package")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Give the fleet that all recipes read; who kills an agent starts one of its own."""
    if find_mosquitto() is None:
        pytest.skip("needs mosquitto: apt-get install mosquitto")
    with running_fleet(tmp_path_factory.mktemp("fleet")) as fleet:
        yield fleet


@pytest.fixture(scope="package")
def secured() -> Iterator[SecuredBroker]:
    """Give the broker that `fleetglass enroll` makes, with a host and the readers of two recipes."""
    program = find_mosquitto()
    if program is None:
        pytest.skip("needs mosquitto: apt-get install mosquitto")
    with secured_broker(program, "web-1", "--reader", "shell", "--reader", "influxdb") as broker:
        yield broker.start()
