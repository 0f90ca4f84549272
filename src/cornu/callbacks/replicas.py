"""The callbacks of a run that trains several replicas of a model at once."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.callbacks.base import Callback
from cornu.callbacks.history import History
from cornu.callbacks.list import BatchWatcher, CallbackList
from cornu.callbacks.logs import Logs
from cornu.callbacks.progress import speaking
from cornu.core.error_bars import joined, value_in
from cornu.training.step import Learner


class ReplicaCallbacks:
    """A `CallbackList` for several replicas.

    Those callbacks that say ``per_replica`` have a copy for each replica: it gets the logs of this replica, and the
    model holds its weights meanwhile. A replica that its copy stops keeps its state and its numbers from then on. The
    other callbacks are called once, with means as logs; the model is the first replica, and what they set in optimizer
    or weights is set in all.

    Args:
        callbacks: The callbacks of the run.
        learner: The learner of the model.
    """

    def __init__(self, callbacks: CallbackList, learner: Learner) -> None:
        assert learner.replication is not None
        self.model, self.learner, self.replication = callbacks.model, learner, learner.replication
        own = [one for one in callbacks.callbacks if getattr(one, "per_replica", False)]
        self.shared = copy.copy(callbacks)
        self.shared.callbacks = [one for one in callbacks.callbacks if one not in own]
        self.own = [self._list_of(replica, own) for replica in range(self.replication.count)]
        self.histories = [History() for _ in self.own]
        self._kept: dict[int, Logs] = {}  # the last logs of replicas that have stopped, inside an epoch and after it
        self._ended: set[int] = set()  # those whose last epoch has ended
        self._trains = False

    def _list_of(self, replica: int, own: Sequence[Any]) -> CallbackList:
        """Return the callbacks of one replica; the first has those that the program made."""
        copies = own if replica == 0 else copy.deepcopy(own, {id(self.model): self.model})
        for callback in copies if replica else ():
            if hasattr(callback, "for_replica"):
                callback.for_replica(replica)
        params = dict(self.shared.params)
        return CallbackList(list(copies), add_progbar=False, model=self.model, params=params)

    @property
    def callbacks(self) -> list[Callback]:
        """All callbacks, those of the first replica among them."""
        return [*self.own[0].callbacks, *self.shared.callbacks]

    # ---- what the loop asks

    def named(self, logs: dict[str, Any]) -> Logs:
        """Return logs that can be looked up by either spelling of a metric, with what stopped replicas had at last."""
        return Logs({name: self._with_kept(name, value) for name, value in logs.items()} if self._trains else logs)

    def _with_kept(self, name: str, value: Any) -> Any:
        """Return a value of all replicas, in which those that have stopped have the last one that they had."""
        if not self._kept:
            return value
        replicas = range(self.replication.count)
        values = [self._kept[one].get(name) if one in self._kept else value_in(value, one) for one in replicas]
        return joined([one for one in values if one is not None])

    def of_running(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Return the logs of the replicas that have not stopped."""
        active = np.flatnonzero(self.replication.active).tolist()
        return {name: joined([value_in(value, replica) for replica in active]) for name, value in logs.items()}

    def stopped(self) -> bool:
        """Return whether no replica is trained any more."""
        return not self.replication.active.any()

    def for_batches(self, kind: str) -> "ReplicaWatcher":
        """Return the object to notify of the batches of training (``"train"``) or testing."""
        self._trains = kind == "train"
        return ReplicaWatcher(self, kind)

    # ---- events

    def on_train_begin(self) -> None:
        self.replication.active[:] = True
        self.model.stop_training = False
        self._kept.clear()
        self._ended.clear()
        self._each("on_train_begin")
        self.shared.on_train_begin()
        self._note_stop_of_all()
        for history in self.histories:
            history.history, history.epoch = Logs(), []

    def on_epoch_begin(self, epoch: int) -> None:
        self._each("on_epoch_begin", epoch)
        self.shared.on_epoch_begin(epoch)
        self._note_stop_of_all()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        each = [self._logs_of(replica, logs) for replica in range(self.replication.count)]
        for replica, own in enumerate(self.own):
            if replica in self._ended:
                continue
            self.call(replica, lambda own=own, replica=replica: own.on_epoch_end(epoch, each[replica]))
            self.histories[replica].on_epoch_end(epoch, each[replica])
            if not self.replication.active[replica]:
                self._kept[replica] = each[replica]
                self._ended.add(replica)
        names = dict.fromkeys(name for one in each for name in one)
        found = {name: [one[name] for one in each if dict.__contains__(one, name)] for name in names}
        logs.clear()
        logs.update({name: joined(values) for name, values in found.items()})
        self.shared.on_epoch_end(epoch, logs)
        self._note_stop_of_all()

    def _logs_of(self, replica: int, logs: Logs) -> Logs:
        if replica in self._kept:
            return Logs(self._kept[replica])
        return logs_in(logs, replica)

    def on_train_end(self, logs: Logs) -> None:
        each = [history.history for history in self.histories]
        lasts = [Logs({name: values[-1] for name, values in one.items()}) for one in each]
        stopped = self.stopped()
        self.replication.active[:] = True  # those that stopped train on in the next fit
        for replica, own in enumerate(self.own):
            self.call(replica, lambda own=own, replica=replica: own.on_train_end(lasts[replica]))
        self.replication.active[:] = True
        self.model.stop_training = stopped
        if self.shared.history is not None:
            self.shared.history.replicas = each
            self.shared.history.seeds = list(self.replication.seeds)
        self.shared.on_train_end(logs)

    def on_test_begin(self) -> None:
        self._each("on_test_begin")
        self.shared.on_test_begin()

    def on_test_end(self, logs: Logs) -> None:
        for replica, own in enumerate(self.own):
            if replica in self._ended:
                continue
            self.call(replica, lambda own=own, replica=replica: own.on_test_end(self._logs_of(replica, logs)))
        self.shared.on_test_end(logs)

    # ---- one replica

    def _each(self, method: str, *args: Any) -> None:
        for replica, own in enumerate(self.own):
            if replica not in self._ended:
                self.call(replica, lambda own=own: getattr(own, method)(*args))

    def call(self, replica: int, function: Any) -> None:
        """Call the callbacks of a replica, while the model is this replica; one that they stop is trained no more."""
        if not self.own[replica].callbacks:
            return
        with self.learner.as_replica(replica), speaking(f"Replica {replica}: "):
            function()
        if getattr(self.model, "stop_training", False):
            self.model.stop_training = False
            self.replication.active[replica] = False

    def keep(self, replica: int, logs: Logs) -> None:
        """Keep the logs of a replica that has stopped inside an epoch."""
        if not self.replication.active[replica]:
            self._kept.setdefault(replica, logs)

    def _note_stop_of_all(self) -> None:
        if getattr(self.model, "stop_training", False):
            self.model.stop_training = False
            self.replication.active[:] = False


class ReplicaWatcher:
    """The callbacks that override a per-batch method, of all replicas."""

    def __init__(self, callbacks: ReplicaCallbacks, kind: str) -> None:
        self.callbacks, self.kind = callbacks, kind
        self.shared = BatchWatcher(callbacks.shared, kind)
        self.own = [BatchWatcher(one, kind) for one in callbacks.own]
        self.stops_after_batch = False  # a callback has said so before the batch
        watchers = [self.shared, self.own[0]]
        self.every_batch = any(one.every_batch for one in watchers)
        self.until_nan = any(one.until_nan for one in watchers)

    def on_batch_begin(self, step: int) -> None:
        self._each(lambda own, replica: own.on_batch_begin(step))
        self.shared.on_batch_begin(step)
        model = self.callbacks.model
        if self.kind == "train" and getattr(model, "stop_training", False):
            self.stops_after_batch, model.stop_training = True, False

    def on_batch_end(self, step: int, logs: dict[str, Any]) -> None:
        self._each(lambda own, replica: own.on_batch_end(step, logs_in(logs, replica)))
        for replica in np.flatnonzero(~self.callbacks.replication.active) if self.kind == "train" else ():
            self.callbacks.keep(int(replica), logs_in(logs, int(replica)))
        self.shared.on_batch_end(step, self.callbacks.named(logs))
        if self.stops_after_batch:
            self.callbacks.model.stop_training = True
        self.callbacks._note_stop_of_all()

    def _each(self, function: Any) -> None:
        for replica, own in enumerate(self.own):
            if own.watching and self.callbacks.replication.active[replica]:
                self.callbacks.call(replica, lambda own=own, replica=replica: function(own, replica))

    def stopped(self) -> bool:
        """Return whether this run is to end."""
        if self.kind == "train":
            return self.callbacks.stopped()
        return self.shared.stopped() or self.own[0].stopped()


def logs_in(logs: dict[str, Any], replica: int) -> Logs:
    """Return the logs of one replica."""
    return Logs({name: value_in(value, replica) for name, value in logs.items()})


def watching(callbacks: Any, learner: Learner) -> Any:
    """Return the callbacks of a run as its loop calls them: for each replica, if the model has several."""
    if learner.replication is None or isinstance(callbacks, ReplicaCallbacks):
        return callbacks
    return ReplicaCallbacks(callbacks, learner)
