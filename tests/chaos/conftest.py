from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chaos.scene import Scene, staged
from support.mosquitto import Mosquitto


@pytest.fixture
async def scene(own_mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """Give a healthy fleet of which a test may break any part."""
    async with staged(own_mosquitto, prefix, tmp_path) as scene:
        yield scene
