import re
from pathlib import Path

from fleetglass.agent.readings.custom import parse_values
from fleetglass.cli.configuration.file import read_configuration
from fleetglass.cli.configuration.settings import agent_settings
from fleetglass.wire.payloads import FieldInfo

TEXT = (Path(__file__).parents[1] / "docs" / "groups.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_settings_of_the_page_are_understood(tmp_path: Path) -> None:
    """The example file turns on all that is off by default."""
    path = tmp_path / "fleetglass.yaml"
    path.write_text(block("yaml").replace("/etc/fleetglass/custom.d", str(tmp_path)))
    settings = agent_settings(read_configuration({"config": str(path)}, {}))
    assert (settings.containers, settings.units) == (True, ("ssh.service", "backup-*.timer"))
    assert settings.custom_folder == tmp_path
    assert settings.demand
    assert settings.storage


def test_the_own_metric_of_the_page_is_understood() -> None:
    """Its values are kept, and its declared unit goes beside those that the names give."""
    values, fields = parse_values(block("json").encode())
    assert values == {"battery_percent": 98, "load_watts": 120, "level": 1.2}
    assert fields["level"] == FieldInfo(unit="metres", limit=3)
    assert fields["load_watts"] == FieldInfo(unit="watts")
