import pytest

from fleetglass.agent.readings import host_readings
from fleetglass.cli.doctor.address_check import check_address
from fleetglass.cli.doctor.finding import Finding


def test_the_main_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named with its interface; a machine without a default route is told what to look at."""
    readings = host_readings()
    monkeypatch.setattr(type(readings), "main_address", lambda _: "127.0.0.1")
    assert list(check_address(readings)) == [Finding("address", "ok", "127.0.0.1 on lo")]
    monkeypatch.setattr(type(readings), "main_address", lambda _: None)
    (finding,) = check_address(readings)
    assert (finding.state, finding.remedy) == ("note", "ip route")


def test_a_host_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the system is no address."""

    def fail(_: object) -> None:
        raise OSError(13, "Permission denied")

    readings = host_readings()
    monkeypatch.setattr(type(readings), "addresses", fail)
    assert [one.state for one in check_address(readings)] == ["note"]
