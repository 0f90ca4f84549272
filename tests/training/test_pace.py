"""How many steps go into one call."""

import time

import pytest

from cornu.training.pace import Pace


@pytest.mark.parametrize(
    ("seconds", "steps"), [(0.001, 250), (0.02, 12), (0.05, 8), (0.11, 8), (0.3, 3), (0.9, 1), (5, 1)]
)
def test_blocks_last_a_tick_and_long_steps_go_several_at_a_time(monkeypatch, seconds, steps):
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    pace, step = Pace(), 0
    for _ in range(8):
        pace.begin(step)
        step += pace.block()
        now += pace.block() * seconds
    assert pace.block() == pytest.approx(steps, abs=1)


def test_a_callback_for_every_batch_makes_blocks_of_one_step():
    pace = Pace(every_batch=True)
    for step in range(5):
        pace.begin(step)
        assert pace.block() == 1


def test_the_same_speeds_make_the_same_blocks_whatever_time_it_is(monkeypatch):
    def lengths(seconds):
        now, pace, step, found = 0.0, Pace(), 0, []
        monkeypatch.setattr(time, "perf_counter", lambda: now)
        monkeypatch.setattr(pace, "decide", lambda speed: Pace.decide(pace, 300.0))  # what the slowest host measured
        for _ in range(8):
            pace.begin(step)
            found.append(pace.block())
            step += pace.block()
            now += pace.block() * seconds
        return found

    assert lengths(0.0001) == lengths(0.003) == [4, 4, 32, *[75] * 5]
