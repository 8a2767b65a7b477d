from fleetglass.agent.self_report import SelfReport
from fleetglass.wire.payloads import CollectorRun


def test_the_own_cpu_is_over_the_time_since_the_last_report() -> None:
    """Half a second of CPU in two seconds is 25 % of a core; what is told of the run is passed on."""
    clock = iter([10.0, 12.0])
    spent = iter([1.0, 1.5])
    own = SelfReport(lambda: 20_000_000, read_cpu_seconds=lambda: next(spent), clock=lambda: next(clock))
    runs = {"cpu": CollectorRun(state="ok", duration_seconds=0.001)}
    message = own.report(5.0, 3, runs=runs, dropped_messages=4, skipped_ticks=1, internal_errors=0)
    assert message.cpu_percent == 25.0
    assert message.resident_bytes == 20_000_000
    assert message.collectors == runs
    assert (message.tick, message.dropped_messages, message.skipped_ticks) == (3, 4, 1)
