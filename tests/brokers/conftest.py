from collections.abc import Iterator

import pytest

from support.broker import Broker
from support.brokers import Amqtt, Nats, RabbitMQ
from support.mosquitto import Mosquitto

# RabbitMQ is slow: it takes 60 MB to install, and a minute for what the other three show in less.
KINDS = (Mosquitto, Amqtt, Nats, pytest.param(RabbitMQ, marks=pytest.mark.slow))


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Give each broker in turn; each test uses a prefix of its own, and leaves the broker running."""
    kind: type[Broker] = request.param
    if remedy := kind.missing():
        pytest.skip(f"needs {kind.name}: {remedy}")
    broker = kind(tmp_path_factory.mktemp(kind.name))
    try:
        yield broker.start()
    finally:
        broker.kill()
