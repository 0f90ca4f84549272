"""All callbacks of a run as one object."""

from typing import Any

from cornu.callbacks.base import Callback
from cornu.callbacks.history import History
from cornu.callbacks.logs import Logs
from cornu.callbacks.progress import ProgbarLogger
from cornu.core import processes
from cornu.core.errors import foreign
from cornu.core.settings import is_interactive_logging_enabled

_BATCH_METHODS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}

#: The attribute of a model by which a callback stops a run of each kind.
_STOPPERS = {"train": "stop_training", "test": "stop_evaluating", "predict": "stop_predicting"}


class CallbackList:
    """Calls every callback in turn.

    Args:
        callbacks: a callback or a list of callbacks, possibly nested.
        add_history: add a `History` if there is none.
        add_progbar: add a `ProgbarLogger` if there is none and ``verbose`` is not 0.
        model: the model.
        validation_rows: number of rows that the run validates on, if known; the progress display shows it.
        **params: the parameters of the run, such as ``epochs``, ``steps`` and ``verbose``.

    Raises:
        TypeError: if something is not a callback.

    Follows https://keras.io/api/callbacks/ (``CallbackList``)

    >>> from cornu.callbacks import LambdaCallback
    >>> callbacks = CallbackList([LambdaCallback(on_epoch_begin=lambda epoch, logs: print("epoch", epoch))])
    >>> callbacks.on_epoch_begin(0)
    epoch 0
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = True,
        model: Any = None,
        validation_rows: int | None = None,
        **params: Any,
    ) -> None:
        self.callbacks = _flat(callbacks)
        _check_origin(self.callbacks)
        self.params = params.pop("params", {}) | params
        if self.params.get("verbose") == "auto":
            self.params["verbose"] = 1 if is_interactive_logging_enabled() else 2
        if add_progbar and self.params.get("verbose", 0) and not self._has(ProgbarLogger):
            self.callbacks.append(ProgbarLogger())
        self.history = next((c for c in self.callbacks if isinstance(c, History)), None)
        if add_history and self.history is None:
            self.history = History()
            self.callbacks.append(self.history)
        self.model = model
        for callback in self.callbacks:
            if isinstance(callback, ProgbarLogger):
                callback.validation_rows = validation_rows
            callback.set_params(self.params)
            if model is not None:
                callback.set_model(model)
        if model is not None and self.history is not None:
            model.history = self.history

    def _has(self, kind: type) -> bool:
        return any(isinstance(callback, kind) for callback in self.callbacks)

    def append(self, callback: Callback) -> None:
        """Add a callback."""
        self.callbacks.append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        """Pass the parameters of the run to each callback."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Pass the model to each callback."""
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def named(self, logs: dict[str, Any]) -> Logs:
        """Return logs that can be looked up by either spelling of a metric."""
        return Logs(logs)

    def of_running(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Return the logs of what goes on training: of several replicas, some may have stopped."""
        return logs

    def stopped(self) -> bool:
        """Return whether a callback asked to stop training."""
        return bool(getattr(self.model, "stop_training", False))

    def for_batches(self, kind: str) -> "BatchWatcher":
        """Return the object to notify of the batches of training (``"train"``), testing or predicting."""
        return BatchWatcher(self, kind)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("on_"):
            raise AttributeError(name)

        def call_all(*args: Any, **kwargs: Any) -> None:
            for callback in filter(is_active, self.callbacks):
                getattr(callback, name)(*_with_logs(name, args, kwargs), **kwargs)

        return call_all


def is_active(callback: Any) -> bool:
    """Return whether a callback is called: of several processes, only the first reports."""
    return processes.is_first() or not getattr(callback, "only_reports", False)


def _with_logs(name: str, args: tuple, kwargs: dict[str, Any]) -> tuple:
    """Return the arguments of a callback's method, with empty logs if none were passed: it may have no default."""
    positions = 2 if "_epoch_" in name or "_batch_" in name else 1
    if len(args) < positions and "logs" not in kwargs:
        args = (*args, {})
    return tuple(Logs(arg) if type(arg) is dict else arg for arg in args)


class BatchWatcher:
    """The callbacks that override a per-batch method, to be notified of blocks or single batches."""

    def __init__(self, callbacks: CallbackList, kind: str) -> None:
        self.callbacks, self.kind = callbacks, kind
        methods = _BATCH_METHODS[kind]
        watching = [callback for callback in callbacks.callbacks if _overrides(callback, methods)]
        self.every_batch = any(_wants_every_batch(callback, methods) for callback in watching)
        self.until_nan = kind == "train" and any(getattr(callback, "ends_block_at_nan", False) for callback in watching)
        self.watching = list(filter(is_active, watching))
        if kind != "train" and self.stopped():  # a callback of an earlier run had asked; `fit` resets its own
            setattr(callbacks.model, _STOPPERS[kind], False)

    def on_batch_begin(self, step: int) -> None:
        for callback in self.watching:
            getattr(callback, f"on_{self.kind}_batch_begin")(step, self._batch_logs(step, {}))

    def on_batch_end(self, step: int, logs: dict[str, Any]) -> None:
        for callback in self.watching:
            getattr(callback, f"on_{self.kind}_batch_end")(step, self._batch_logs(step, logs))

    def _batch_logs(self, step: int, logs: dict[str, Any]) -> Logs:
        """Return the logs of a batch, which also answer to ``batch`` and (if known) ``size``, as in Keras 2."""
        result = Logs(logs)
        extras = {"batch": step}
        size, rows = self.callbacks.params.get("batch_size"), self.callbacks.params.get("samples")
        if size and rows:
            extras["size"] = min(size, max(rows - step * size, 0))
        result.extras = extras
        return result

    def stopped(self) -> bool:
        """Return whether a callback asked to stop this run."""
        return bool(getattr(self.callbacks.model, _STOPPERS[self.kind], False))


def _overrides(callback: Any, methods: tuple[str, ...]) -> bool:
    """Return whether a callback overrides one of `methods`, on its class or on the object itself."""
    for method in methods:
        own = getattr(type(callback), method, None)
        if method in vars(callback) or (own is not None and own is not getattr(Callback, method)):
            return True
    return False


def _wants_every_batch(callback: Any, methods: tuple[str, ...]) -> bool:
    """Return whether a callback must be notified of every batch.

    Its `per_batch` decides, unless a per-batch method is overridden in a subclass of the class that sets it.
    """
    classes = type(callback).__mro__
    depths = [classes.index(cls) for cls in classes if any(method in vars(cls) for method in methods)]
    said = [classes.index(cls) for cls in classes if "per_batch" in vars(cls)]
    if said and min(depths, default=len(classes)) < said[0]:
        return True
    return bool(getattr(callback, "per_batch", True))


def _check_origin(callbacks: list[Any]) -> None:
    for callback in callbacks:
        if said := foreign(callback):
            raise TypeError(f"Expected Cornu's own callbacks; got a {type(callback).__name__}.{said}")


def _flat(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return [one for item in callbacks for one in _flat(item)]
    if isinstance(callbacks, type) or not hasattr(callbacks, "on_epoch_end"):
        advice = f"\nCall the class: {callbacks.__name__}(...)." if isinstance(callbacks, type) else ""
        raise TypeError(
            f"A callback must be an instance of a subclass of keras.callbacks.Callback; got {callbacks!r}.{advice}"
        )
    return [callbacks]


__all__ = [
    "CallbackList",
]
