"""The loop looks out for the next request where the last one came soon, and sleeps otherwise."""

import asyncio
import os

import pytest

from cornu.serve import busy_wait
from cornu.serve.busy_wait import PATIENCE, BusyWait


class Turns:
    """Stands for an event loop: callbacks wait for `turn`, and a clock that the test moves."""

    def __init__(self, monkeypatch):
        self.waiting, self.now = [], 100.0
        monkeypatch.setattr(busy_wait.time, "perf_counter", lambda: self.now)

    def call_soon(self, function, *args):
        self.waiting.append((function, args))

    def turn(self):
        waiting, self.waiting = self.waiting, []
        for function, args in waiting:
            function(*args)

    def ask_and_answer(self, watch, after):
        """Let a request come so many seconds after the last answer, and answer it."""
        self.now += after
        watch.arrived()
        watch.answered(self)


@pytest.fixture
def turns(monkeypatch):
    return Turns(monkeypatch)


def test_it_looks_out_only_where_the_last_request_came_soon(turns):
    watch = BusyWait(spare=True)
    turns.ask_and_answer(watch, 0)
    assert not turns.waiting  # nothing is known yet
    turns.ask_and_answer(watch, PATIENCE / 2)
    assert len(turns.waiting) == 1
    turns.turn()
    assert len(turns.waiting) == 1  # and looks on
    turns.now += 2 * PATIENCE
    turns.turn()
    assert not turns.waiting  # nobody came
    turns.ask_and_answer(watch, 2 * PATIENCE)
    assert not turns.waiting  # so the next time it sleeps at once
    turns.ask_and_answer(watch, PATIENCE / 2)
    assert turns.waiting


def test_it_ends_when_a_request_comes_and_never_looks_twice(turns):
    watch = BusyWait(spare=True)
    for _ in range(4):
        turns.ask_and_answer(watch, PATIENCE / 2)
    assert len(turns.waiting) == 1
    watch.arrived()
    turns.turn()
    assert not turns.waiting


def test_pieces_of_a_request_say_nothing_of_the_next(turns):
    watch = BusyWait(spare=True)
    turns.ask_and_answer(watch, 0)
    turns.now += PATIENCE / 2
    watch.arrived()
    turns.now += 2 * PATIENCE
    watch.arrived()  # the rest of the body
    watch.answered(turns)
    assert turns.waiting


def test_a_single_core_is_left_to_the_client(turns, monkeypatch):
    monkeypatch.setattr(busy_wait, "threads", lambda: 1)
    watch = BusyWait()
    for _ in range(3):
        turns.ask_and_answer(watch, 0)
    assert not turns.waiting


def test_where_a_process_cannot_let_others_go_first_it_sleeps(turns, monkeypatch):
    monkeypatch.setattr(busy_wait, "threads", lambda: 8)
    assert BusyWait().spare == hasattr(os, "sched_yield")
    monkeypatch.delattr(os, "sched_yield", raising=False)
    assert not BusyWait().spare


def test_a_real_loop_comes_to_rest():
    async def main():
        watch, loop = BusyWait(spare=True), asyncio.get_running_loop()
        for _ in range(2):
            watch.answered(loop)
            watch.arrived()
        watch.answered(loop)
        await asyncio.sleep(0.05)
        return watch._looking

    assert asyncio.run(main()) is False
