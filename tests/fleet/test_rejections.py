import logging

import pytest

from fleetglass.fleet.rejections import Rejections
from fleetglass.wire import PayloadError


def test_all_are_counted_and_one_per_host_and_minute_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A host that sends rubbish every second fills no log."""
    rejections = Rejections()
    error = PayloadError("payload: rubbish")
    with caplog.at_level(logging.WARNING):
        for second in range(60):
            rejections.count("a", "fleet/a/pulse", error, now=second)
        rejections.count("b", "fleet/b/pulse", error, now=30)
        rejections.count("a", "fleet/a/pulse", error, now=61)
    assert rejections.total == 62
    assert len(caplog.records) == 3
