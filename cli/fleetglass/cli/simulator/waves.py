"""Smooth, plausible numbers as pure functions of time, cheap enough for thousands of series.

A table of noise that reverts to its mean, with a burst now and then, is made once. A series is a place and a
pace in it, so that any moment can be asked for and a restart goes on where the last run ended.
"""

import itertools
import math
import random
from dataclasses import dataclass
from typing import Final

SIZE: Final = 8192
DAY_SECONDS: Final = 86_400.0

_SEED: Final = 20
_REVERSION: Final = 0.06
_BURSTS_PER_STEP: Final = 0.004


@dataclass(frozen=True, slots=True)
class Wave:
    """One series between 0 and 1: `level` is its usual height, `swing` how far it strays."""

    level: float
    swing: float
    offset: float
    pace: float
    """Steps of the table per second."""
    day_phase: float

    def at(self, time: float) -> float:
        """Return the value at a moment."""
        position = (self.offset + time * self.pace) % SIZE
        index = int(position)
        here = _NOISE[index]
        noise = here + (_NOISE[index + 1] - here) * (position - index)
        day = 0.12 * math.sin(math.tau * (time / DAY_SECONDS + self.day_phase))
        value = self.level * (1 + day) + self.swing * noise
        return 0.0 if value < 0.0 else min(value, 1.0)

    def mean_until(self, time: float, span: float) -> float:
        """Return the mean of the last `span` seconds, which moves the slower the longer the span."""
        day = 0.12 * math.sin(math.tau * ((time - span / 2) / DAY_SECONDS + self.day_phase))
        low, high = (self.offset + moment * self.pace for moment in (time - span, time))
        noise = (_area(_NOISE, _NOISE_SUM, high) - _area(_NOISE, _NOISE_SUM, low)) / (high - low)
        return min(max(self.level * (1 + day) + self.swing * noise, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Flow:
    """A rate with its counter: the counter is the exact integral of the rate, so that it never goes back."""

    peak: float
    offset: float
    pace: float

    def rate(self, time: float) -> float:
        """Return the rate at a moment, per second."""
        position = (self.offset + time * self.pace) % SIZE
        index = int(position)
        here = _TRAFFIC[index]
        return self.peak * (here + (_TRAFFIC[index + 1] - here) * (position - index))

    def total(self, time: float) -> float:
        """Return the integral of the rate from time 0 to a moment."""
        return self.peak * _area(_TRAFFIC, _TRAFFIC_SUM, self.offset + time * self.pace) / self.pace


def make_wave(source: random.Random, level: float, swing: float) -> Wave:
    """Return a series that differs from every other of the same source."""
    return Wave(level, swing, source.random() * SIZE, 0.7 + 0.6 * source.random(), source.random() * 0.1)


def make_flow(source: random.Random, peak: float) -> Flow:
    """Return a flow that differs from every other of the same source."""
    return Flow(peak * (0.5 + source.random()), source.random() * SIZE, 0.7 + 0.6 * source.random())


def _area(values: list[float], sums: list[float], position: float) -> float:
    # The integral of a table, repeated without end, from 0 to a position.
    rounds, position = divmod(position, SIZE)
    index = int(position)
    part = position - index
    here = values[index]
    return rounds * sums[SIZE] + sums[index] + part * (here + (values[index + 1] - here) * part / 2)


def _make_noise() -> list[float]:
    source = random.Random(_SEED)
    value = burst = 0.0
    noise = []
    for _ in range(SIZE):
        value += -_REVERSION * value + 0.18 * source.gauss(0, 1)
        burst *= 0.93
        if source.random() < _BURSTS_PER_STEP:
            burst += source.uniform(1.5, 4.0)
        noise.append(max(-1.5, value) + burst)
    return _closed(noise)


def _make_traffic() -> list[float]:
    # Traffic is never below zero and mostly far below its peak.
    return _closed([0.02 + 0.12 * max(0.0, value + 0.6) ** 1.5 for value in _NOISE[:SIZE]])


def _closed(values: list[float]) -> list[float]:
    # The last steps lead back to the first, so that a series shows no jump when the table begins again.
    blend = 32
    for step in range(blend):
        share = (step + 1) / blend
        values[SIZE - blend + step] = values[SIZE - blend + step] * (1 - share) + values[0] * share
    return [*values, values[0]]


def _make_sum(values: list[float]) -> list[float]:
    steps = ((left + right) / 2 for left, right in itertools.pairwise(values))
    return list(itertools.accumulate(steps, initial=0.0))


_NOISE: Final = _make_noise()
_NOISE_SUM: Final = _make_sum(_NOISE)
_TRAFFIC: Final = _make_traffic()
_TRAFFIC_SUM: Final = _make_sum(_TRAFFIC)
