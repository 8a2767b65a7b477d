import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from rich.cells import cell_len

from fleetglass.client.formatting import quantities
from fleetglass.client.terminal.top import numbers
from fleetglass.client.terminal.top.alerts import METER
from fleetglass.client.terminal.top.drawing import (
    GLYPHS,
    bar,
    fit,
    fit_line,
    sides,
    sparkline,
    state_mark,
    upright_bars,
    width_of,
)
from fleetglass.wire.protocol import HostState


@given(st.text(max_size=60), st.integers(0, 40), st.booleans())
def test_fit_takes_exactly_its_cells(text: str, width: int, right: bool) -> None:  # noqa: FBT001 - it is drawn
    """Whatever a host calls itself takes the cells it is given, and nothing in it moves the cursor."""
    fitted = fit(text, width, right=right)
    assert cell_len(fitted) == width
    assert fitted.isprintable()


@given(st.lists(st.text("ab世 ", max_size=9), max_size=5), st.integers(0, 30))
def test_lines_take_exactly_their_cells(texts: list[str], width: int) -> None:
    """A line is cut or filled to its width, and so is one with two ends."""
    assert width_of(fit_line([(text, "") for text in texts], width)) == width
    assert width_of(sides([(text, "") for text in texts], [("end", "")], width)) == width


def test_cut_text_says_so() -> None:
    """What does not fit ends in an ellipsis; a wide character is not halved."""
    assert fit("abcdef", 4) == "abc…"
    assert fit("世界世界", 6) == "世界 …"
    assert fit("7", 3, right=True) == "  7"
    assert fit("\x1b[2J\u202e", 6) == "?[2J? "


@given(st.floats(allow_nan=False), st.integers(1, 40))
def test_bar_takes_exactly_its_cells(value: float, width: int) -> None:
    """A bar has its width, whatever the value is."""
    assert width_of(bar(value, width)) == width


def test_bar() -> None:
    """A bar is drawn in eighths of a cell; the least is seen, and what is absent is empty."""
    assert bar(50, 4) == [("██", "bar"), ("··", "dim")]
    assert bar(0.1, 4)[0] == ("▏", "bar")
    assert bar(0, 4) == [("", "bar"), ("····", "dim")]
    assert bar(96, 4, METER)[0][1] == "critical"
    assert bar(UNSET, 4) == [("    ", "")]


def test_sparkline() -> None:
    """Each cell is the mean of its span of time up to the end; where nothing is known it is blank."""
    points = [(float(second), 100.0 if second >= 50 else 0.0) for second in range(60)]
    assert sparkline(points, 59, 6) == "▁▁▁▁▁█"
    assert sparkline(points, 79, 6) == "▁▁▁█  "
    assert sparkline([(55, 40), (56, 60), (57, math.nan)], 59, 6) == "     ▅"
    assert sparkline([(59, 5000), (49, -3)], 59, 6) == "    ▁█"


def test_upright_bars() -> None:
    """One cell for each value."""
    assert upright_bars([0, 49, 100, 250, -1]) == "▁▄██▁"


def test_marks() -> None:
    """Every state and level has a glyph of its own and a word, so that colour says nothing alone."""
    assert len({glyph for glyph, _ in GLYPHS.values()}) == len(GLYPHS)
    assert state_mark("live") == [("●", "good"), (" live   ", "")]
    assert state_mark("live", "critical") == [("◆", "critical"), (" crit   ", "critical")]
    assert state_mark("lost", "critical") == [("✗", "critical"), (" lost   ", "critical")]
    assert all(width_of(state_mark(state)) == 9 for state in get_args(HostState))


@given(st.floats(min_value=0, max_value=1e15))
def test_short_numbers_fit(value: float) -> None:
    """Numbers of a column fit into it, whatever they are."""
    assert len(numbers.short_size(value)) <= 4
    assert len(numbers.percent(min(value, 100))) <= 3
    assert len(numbers.load(min(value, 9999))) <= 4
    assert len(numbers.short_time(min(value, 3e10))) <= 4


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (numbers.percent(9.94), "9.9"),
        (numbers.percent(9.96), "10"),
        (numbers.load(12.345), "12.3"),
        (numbers.short_size(999), "999"),
        (numbers.short_size(1000), "1.0K"),
        (numbers.short_size(310 * 1024**2), "310M"),
        (numbers.size(1.5 * 1024**3), "1.50 GiB"),
        (numbers.size(512), "512 B"),
        (numbers.celsius(47.4), "47°"),
        (numbers.hertz(3.4e9), "3.40 GHz"),
        (numbers.short_time(45), "45s"),
        (numbers.short_time(5 * 86_400), "5d"),
        (numbers.short_time(3.1 * 31_557_600), "3.1y"),
        (numbers.uptime(52 * 86_400 + 5 * 3600 + 25 * 60), "52 d 05:25"),
        (numbers.uptime(3_661), "01:01:01"),
        (numbers.length_of_time(300), "5 min"),
        (quantities.clock_time(1e300), "—"),
        (numbers.percent(UNSET), "—"),
    ],
)
def test_numbers(shown: str, expected: str) -> None:
    """Numbers are told as on the page, or as short as a column needs."""
    assert shown == expected
