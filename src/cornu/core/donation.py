"""Which thread's programs may take over the arrays of which variables, and what other threads see meanwhile.

A training step donates the arrays of its variables: their memory holds the results, and the old arrays are gone. One
thread alone never notices. Another thread may read a variable at any moment, and go on using the array for as long as
it likes. So three rules hold:

- An array that another thread has read is never donated: the step works on a copy.
- While arrays are inside a program, other threads wait for the new ones. Once a thread has read, the following step
  leaves the old arrays where they are, so that whoever reads again does not wait.
- What another thread assigns during a step counts from the end of that step.
"""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cornu.core.scope import scope

#: Held while variables change hands. Nothing is computed meanwhile.
exchange = threading.RLock()
_changed = threading.Condition(exchange)
_readers: dict[int, threading.Thread] = {}  # threads that have read variables: they may have arrays in hand
_training: dict[int, threading.Thread] = {}  # threads that have run steps
_waiting: dict[int, "Donor"] = {}  # thread -> the donor that it waits for

# A process that is forked while another thread holds the lock would wait for ever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=exchange.acquire, after_in_parent=exchange.release, after_in_child=exchange.release)


def note_reader() -> None:
    """Remember that this thread may have arrays of variables in hand."""
    scope.bound = {}
    with exchange:
        _readers[threading.get_ident()] = threading.current_thread()


def _others(threads: dict[int, threading.Thread]) -> bool:
    """Return whether any of `threads` but this one lives; forget those that have ended."""
    for ident in [ident for ident, thread in list(threads.items()) if not thread.is_alive()]:
        threads.pop(ident, None)
    return len(threads) > (threading.get_ident() in threads)


def others_train() -> bool:
    """Return whether another thread has run training steps, and has not ended."""
    if not _training or (len(_training) == 1 and threading.get_ident() in _training):
        return False
    with exchange:
        return _others(_training)


class Donor:
    """The steps of one learner, which donate the arrays of its variables: in one thread at a time."""

    def __init__(self) -> None:
        self.owner: threading.Thread | None = None  # whose steps they are
        self.thread: int | None = None  # its number, which a later thread may have too
        self.stepping = False  # whether a step runs
        self.donated = False  # whether the arrays are inside it, and gone
        self.watched = False  # whether another thread has read variables since the last step began
        self.lost = True  # whether another donor has taken some of the variables
        self.waiting = 0  # threads that wait for their turn
        self.pending: dict[int, tuple[Any, Any]] = {}  # what other threads have assigned during the step

    # ---- in the thread that trains

    def begin(self, variables: Callable[[], Sequence[Any]], donates: bool = True) -> bool:
        """Begin a step; afterwards nobody else changes the variables, and nobody reads them once they are donated.

        Args:
            variables: Returns the variables of the step.
            donates: Whether the step's program takes over their arrays.

        Returns:
            Whether the step must work on copies, because another thread may use the arrays.
        """
        me = threading.current_thread()
        with exchange:
            if self.waiting and self.owner is me:  # whoever waits has the next turn
                _changed.wait_for(lambda: not self.waiting or self.owner is not me or self.lost)
            if self.owner is not me or self.lost:
                self._claim(variables(), me)
            copies = donates and self.watched
            self.stepping, self.donated = True, donates and not copies
            self.watched = False
            return copies

    def _claim(self, variables: Sequence[Any], me: threading.Thread) -> None:
        """Take over `variables` from other donors, and this donor from another thread, when their steps have ended."""

        def busy() -> list[Donor]:
            donors = {variable._donor for variable in variables} | {self}
            return [one for one in donors if one is not None and one.stepping and one.owner is not me]

        while found := busy():
            _wait_for(found[0], turn=True)
        if self.owner not in (None, me) or (any(v._donor is None for v in variables) and _others(_readers)):
            self.watched = True
        for variable in variables:
            before = variable._donor
            if before is not self:
                if before is not None:
                    before.lost = True
                    self.watched = self.watched or before.watched or before.owner is not me
                variable._donor = self
        self.owner, self.thread, self.lost = me, threading.get_ident(), False
        _training[threading.get_ident()] = me
        _changed.notify_all()

    def end(self) -> None:
        """End a step, after its results were written; assign what other threads have assigned meanwhile."""
        with exchange:
            self.stepping = self.donated = False
            for variable, value in self.pending.values():
                variable._held = value
            self.pending.clear()
            if _waiting:
                _changed.notify_all()

    # ---- in other threads

    def read(self, variable: Any) -> Any:
        """Return a variable's array when it has one; it stays valid."""
        with exchange:
            readable([self])
            return self.latest(variable)

    def latest(self, variable: Any) -> Any:
        """Return what was last assigned to a variable."""
        pending = self.pending.get(id(variable))
        return variable._held if pending is None else pending[1]

    def assign(self, variable: Any, value: Any) -> None:
        """Set a variable's array, if a step runs then at its end."""
        with exchange:
            if self.stepping:
                self.pending[id(variable)] = variable, value
            else:
                variable._held = value


def readable(donors: Iterable[Donor]) -> None:
    """Wait until no arrays of `donors` are inside a program; what is then read is not donated. Needs the lock."""
    donors = list(donors)
    while True:
        for donor in donors:
            donor.watched = True
        inside = next((donor for donor in donors if donor.donated), None)
        if inside is None:
            return
        _wait_for(inside)


def _wait_for(donor: Donor, turn: bool = False) -> None:
    """Wait until something changes. Raises RuntimeError if that thread waits for this one."""
    me = threading.get_ident()
    after: Donor | None = donor
    while after is not None:
        if after.thread == me:
            raise RuntimeError(
                "Two threads train models that read each other's weights, and each waits for the other's step.\n"
                "Run one step before the threads start, or train both models in one thread."
            )
        after = _waiting.get(after.thread or 0)
    donor.waiting += turn
    _waiting[me] = donor
    try:
        _changed.wait()
    finally:
        donor.waiting -= turn
        del _waiting[me]
        if turn:
            _changed.notify_all()
