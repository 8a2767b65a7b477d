import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

MISSING = "—"


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("percent", 9.44, "9.4 %"),
        ("percent", 9.96, "10 %"),
        ("percent", 42.4, "42 %"),
        ("percent", 0, "0.0 %"),
        ("percent", None, MISSING),
        ("percent", "12", MISSING),
        ("bytes", 0, "0 B"),
        ("bytes", 512, "512 B"),
        ("bytes", 1536, "1.50 KiB"),
        ("bytes", 15 * 1024**2, "15.0 MiB"),
        ("bytes", 1023 * 1024, "1.00 MiB"),
        ("bytes", 3 * 1024**5, "3.00 PiB"),
        ("byteRate", 2 * 1024, "2.00 KiB/s"),
        ("load", 3, "3.00"),
        ("celsius", 47.4, "47 °C"),
        ("hertz", 3.4e9, "3.40 GHz"),
        ("uptime", 52 * 86400 + 5 * 3600 + 25 * 60, "52 d 05:25"),
        ("uptime", 5 * 3600 + 25 * 60 + 13, "05:25:13"),
        ("uptime", None, MISSING),
        ("count", 12345, "12\u202f345"),
        ("duration", 0.00031, "310 µs"),
        ("duration", 0.0182, "18.2 ms"),
        ("roughly", -3600, "60 min"),
        ("roughly", 7200, "2 h"),
        ("trimmed", "5.00 MiB/s", "5 MiB/s"),
        ("trimmed", "100 %", "100 %"),
        ("trimmed", "0.0 %", "0 %"),
    ],
)
def test_a_number_reads_as_specified(page: Page, name: str, given: object, expected: str) -> None:
    """Each kind of number has the one form the page uses everywhere, and no value is a dash."""
    page.goto("/")
    said = page.evaluate(
        "async ([name, given]) => (await import('/src/numbers.js'))[name](given)", [name, given]
    )
    assert said == expected


def test_no_number_is_ever_shown_as_nan(page: Page) -> None:
    """What is no finite number is a dash in every format."""
    page.goto("/")
    said = page.evaluate(
        """async () => {
          const numbers = await import("/src/numbers.js")
          const { percent, bytes, byteRate, load, celsius, hertz, count, rate, duration, uptime } = numbers
          const formats = [percent, bytes, byteRate, load, celsius, hertz, count, rate, duration, uptime]
          const nothings = [NaN, Infinity, null, undefined, {}, "7"]
          return formats.flatMap((format) => nothings.map((nothing) => format(nothing)))
        }"""
    )
    assert set(said) == {MISSING}


def test_an_age_is_in_words_and_then_a_clock_time(page: Page) -> None:
    """An age counts seconds, then minutes, and from an hour on is a time of day."""
    page.goto("/")
    said = page.evaluate(
        """async () => {
          const { age } = await import("/src/numbers.js")
          const now = Date.UTC(2026, 10, 21, 14, 2, 11)
          return [3, 240, 7200].map((seconds) => age(now - seconds * 1000, now))
        }"""
    )
    assert said == ["3 s ago", "4 min ago", "at 12:02:11"]


def test_an_axis_ends_at_a_round_number(page: Page) -> None:
    """The top of an axis is the next of 1, 2, 5 times a power of ten, for sizes within their unit."""
    page.goto("/")
    said = page.evaluate(
        """async () => {
          const { roundUp } = await import("/src/scale.js")
          return [roundUp(3.1, false), roundUp(70, false), roundUp(3 * 1024, true), roundUp(700 * 1024, true)]
        }"""
    )
    assert said == [5, 100, 5 * 1024, 1024**2]
