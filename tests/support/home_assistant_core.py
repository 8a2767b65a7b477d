"""A real Home Assistant, with nothing but its MQTT integration. Run by Home Assistant's own Python.

Usage: home_assistant_core.py PORT FOLDER. Says `ready` when connected; then each line on the standard
input is answered by one line of JSON with all it knows: entities by unique id, devices, warnings of its
log, and how many states it has written.
"""

import asyncio
import json
import logging
import sys
import types
from collections import Counter
from pathlib import Path
from typing import Any

from homeassistant import config_entries, core, loader
from homeassistant.helpers import (
    area_registry,
    category_registry,
    device_registry,
    entity,
    entity_registry,
    floor_registry,
    frame,
    issue_registry,
    label_registry,
    restore_state,
    template,
    translation,
)

REGISTRIES = (
    area_registry,
    category_registry,
    device_registry,
    entity_registry,
    floor_registry,
    issue_registry,
    label_registry,
    restore_state,
)


class Complaints(logging.Handler):
    """Collects what the log says at warning level and above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record. What Home Assistant says of how this program starts it is left out."""
        if record.name == "homeassistant.helpers.frame":
            return
        self.lines.append(f"{record.name}: {record.getMessage()}")


async def main(port: int, folder: Path) -> None:
    """Run until the standard input ends."""
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    (folder / "configuration.yaml").touch()
    hass = core.HomeAssistant(str(folder))
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await hass.config_entries.async_initialize()
    for part in (entity, frame, template, translation):
        part.async_setup(hass)
    await asyncio.gather(*(registry.async_load(hass) for registry in REGISTRIES))
    hass.config.components |= {"http", "file_upload"}  # MQTT needs them only for its dialogues
    hass.set_state(core.CoreState.running)
    written: Counter[str] = Counter()
    hass.bus.async_listen("state_changed", lambda event: written.update([event.data["entity_id"]]))
    entry = config_entries.ConfigEntry(
        domain="mqtt",
        title="mqtt",
        data={"broker": "127.0.0.1", "port": port},
        options={"discovery": True},
        version=1,
        minor_version=2,
        source="user",
        unique_id=None,
        discovery_keys=types.MappingProxyType({}),
        subentries_data=[],
    )
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    say({"ready": entry.state.name})
    while await asyncio.to_thread(sys.stdin.readline):
        await hass.async_block_till_done()
        say(
            {
                "entities": {one.unique_id: described(hass, one) for one in registered(hass)},
                "devices": [
                    {
                        "name": one.name,
                        "identifiers": [name for _, name in one.identifiers],
                        "manufacturer": one.manufacturer,
                        "model": one.model,
                        "hardware": one.hw_version,
                        "system": one.sw_version,
                    }
                    for one in device_registry.async_get(hass).devices.values()
                ],
                "warnings": complaints.lines,
                "written": dict(written),
            }
        )
    await hass.async_stop(force=True)


def registered(hass: core.HomeAssistant) -> list[Any]:
    """Return the entries of all entities, disabled ones among them."""
    return list(entity_registry.async_get(hass).entities.values())


def described(hass: core.HomeAssistant, entry: Any) -> dict[str, Any]:
    """Return what a test asks of one entity."""
    state = hass.states.get(entry.entity_id)
    return {
        "entity_id": entry.entity_id,
        "state": state.state if state else None,
        "unit": entry.unit_of_measurement,
        "device_class": entry.original_device_class,
        "category": entry.entity_category,
        "enabled": entry.disabled_by is None,
    }


def say(message: dict[str, Any]) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(message, default=str) + "\n")
    sys.stdout.flush()


asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
