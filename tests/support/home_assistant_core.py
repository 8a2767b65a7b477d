"""A real Home Assistant with its MQTT integration, and automations where it is given some.

Run by Home Assistant's own Python: home_assistant_core.py FOLDER, with what the MQTT integration is told of
the broker as a line of JSON on the standard input. Says `ready` when connected; then each empty line is
answered by one line of JSON with all it knows: entities by unique id, devices, notifications, warnings of its
log, and how many states it has written. A line of JSON with `render` is answered by what that template
gives, one with `automate` when the automations of that file run.
"""

import asyncio
import json
import logging
import sys
import types
from collections import Counter
from pathlib import Path
from typing import Any

from homeassistant import config_entries, core, loader, setup
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
from homeassistant.util import yaml

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


async def main(folder: Path, broker: dict[str, Any]) -> None:
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
    hass.config.components |= {"http", "file_upload", "repairs"}  # needed only for dialogues
    hass.set_state(core.CoreState.running)
    written: Counter[str] = Counter()
    hass.bus.async_listen("state_changed", lambda event: written.update([event.data["entity_id"]]))
    entry = config_entries.ConfigEntry(
        domain="mqtt",
        title="mqtt",
        data=broker,
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
    notified: list[str] = []
    hass.bus.async_listen("call_service", lambda event: notified.extend(message_of(event)))
    say({"ready": entry.state.name})
    while line := await asyncio.to_thread(sys.stdin.readline):
        await hass.async_block_till_done()
        if line.strip():
            say({"answer": await obey(hass, **json.loads(line))})
            continue
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
                "notified": notified,
                "warnings": complaints.lines,
                "written": dict(written),
            }
        )
    await hass.async_stop(force=True)


async def obey(hass: core.HomeAssistant, render: str = "", automate: str = "") -> str:
    """Render a template, or start automations."""
    if automate:
        hass.config.skip_pip = True
        for domain, config in (("notify", {}), ("automation", {"automation": yaml.load_yaml(automate)})):
            assert await setup.async_setup_component(hass, domain, config), domain
        await hass.async_block_till_done()
    return str(template.Template(render, hass).async_render(parse_result=False))


def message_of(event: Any) -> list[str]:
    """Return the text of a notification; nothing for any other call."""
    return [event.data["service_data"]["message"]] if event.data["domain"] == "notify" else []


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


asyncio.run(main(Path(sys.argv[1]), json.loads(sys.stdin.readline())))
