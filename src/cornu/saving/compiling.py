"""The compile arguments of a model in files of Keras 3 and Keras 2."""

import warnings
from inspect import signature
from typing import Any

from cornu.core import registry
from cornu.core.serialization import deserialize, serialize
from cornu.saving.source import Source

#: Argument of `compile` -> the table in which names in it are looked up.
TABLES = {
    "optimizer": registry.OPTIMIZERS,
    "loss": registry.LOSSES,
    "metrics": registry.METRICS,
    "weighted_metrics": registry.METRICS,
}
OTHERS = ("loss_weights", "run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss")


def compile_config(model: Any) -> dict[str, Any] | None:
    """Return what `compile` was given as plain data; None, with a warning, where that cannot be written."""
    if not model.compiled:
        return None
    try:
        return serialize(model.get_compile_config())
    except TypeError as error:
        warnings.warn(
            f"The file will not hold what the model was compiled with, nor the optimizer's state: {error}\n"
            "Compile the model again after loading it.",
            UserWarning,
            stacklevel=5,
        )
        return None


def compile_from(
    model: Any, config: dict[str, Any], custom_objects: dict | None, source: Source, optimizer_name: str | None = None
) -> None:
    """Compile a model as a file says, and make the optimizer's variables.

    Keras 3 leaves the optimizer out of a ``.keras`` file when the model was saved as ``.h5`` before: then it is the
    usual one of `optimizer_name`, with a warning. ValueError that names the file where something is not known.
    """
    if config.get("optimizer") is None:
        config = config | {"optimizer": _optimizer_by_name(optimizer_name, source)}
    with registry.CustomObjectScope(custom_objects or {}):
        try:
            model.compile_from_config(config)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"The model of {source} cannot be compiled as it was: {error}\n"
                "Pass losses and metrics of your own in custom_objects, or load with compile=False and compile it."
            ) from error
    if model.built and model.optimizer is not None:
        model.optimizer.prepare(model.trainable_variables)


def _optimizer_by_name(name: str | None, source: Source) -> str:
    """Return the name of the optimizer to take where a file does not say which, and warn."""
    stem = (name or "").rstrip("0123456789").rstrip("_")
    chosen = stem if stem in registry.OPTIMIZERS else "rmsprop"
    warnings.warn(
        f"The file {source} does not say which optimizer the model was compiled with; its state is named {name!r}. "
        f"The model has {chosen!r} with the usual settings now: compile it again if it had others.",
        UserWarning,
        stacklevel=5,
    )
    return chosen


def compile_arguments(config: dict[str, Any]) -> dict[str, Any]:
    """Return arguments for `compile` from plain data: custom names looked up, configs converted to objects.

    >>> compile_arguments({"loss": "mse", "metrics": ["accuracy"], "loss_weights": None})
    {'loss': 'mse', 'metrics': ['accuracy']}
    """
    known = {key: value for key, value in config.items() if value is not None and key in (*TABLES, *OTHERS)}
    return {key: _meant(value, TABLES[key]) if key in TABLES else deserialize(value) for key, value in known.items()}


def _meant(value: Any, table: registry.Table) -> Any:
    """Return the config of a loss, metric or optimizer, or a list or dictionary of them."""
    if isinstance(value, str):
        custom = registry.custom_object(value)
        return value if custom is None else custom
    if isinstance(value, (list, tuple)):  # tf.keras 2 writes [None] for an output without metrics
        return [None if item == [None] else _meant(item, table) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value:
        return {key: _meant(item, table) for key, item in value.items()}
    if value["class_name"] == "MeanMetricWrapper":  # Keras 2.3 to 2.15: the function says what it is
        settings = value.get("config")
        return _meant(settings.get("fn") if isinstance(settings, dict) else None, table)
    return deserialize(value, table=table)


def from_training_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return the attribute ``training_config`` of a ``.h5`` file as Keras 3's compile config."""
    return {key: value for key, value in config.items() if key != "optimizer_config"} | {
        "optimizer": config.get("optimizer_config")
    }


def to_training_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return a compile config as the attribute ``training_config`` of a ``.h5`` file."""
    optimizer = config["optimizer"]
    if isinstance(optimizer, dict):
        optimizer = {"class_name": optimizer["class_name"], "config": _telling(optimizer)}
    others = {key: _old_form(value) for key, value in config.items() if key not in ("optimizer", "loss")}
    return {"optimizer_config": optimizer, "loss": _whole_names(_old_form(config["loss"]))} | others


def _whole_names(loss: Any) -> Any:
    """Return losses by their whole names: Keras 3 cannot read short ones such as ``mse`` out of these files."""
    if isinstance(loss, str):
        return getattr(registry.LOSSES.get(loss), "__name__", loss)
    if isinstance(loss, list):
        return [_whole_names(item) for item in loss]
    if isinstance(loss, dict) and "class_name" not in loss:
        return {key: _whole_names(item) for key, item in loss.items()}
    return loss


def _telling(optimizer: dict[str, Any]) -> dict[str, Any]:
    """Return an optimizer's config without what Keras 2 lacks and its default says anyway."""
    cls = registry.OPTIMIZERS.get(optimizer["class_name"])
    config = optimizer["config"]
    if cls is None:
        return config
    defaults = {name: parameter.default for name, parameter in signature(cls.__init__).parameters.items()}
    silent = (*GENERAL, "name")
    return {key: value for key, value in config.items() if key not in silent or value != defaults.get(key)}


#: Arguments of all of Keras 3's optimizers that those of Keras 2 do not know.
GENERAL = (
    *("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum"),
    *("ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps", "amsgrad"),
)


def _old_form(value: Any) -> Any:
    """Return configs in Keras 2's form: functions as names, objects as class name and config."""
    if isinstance(value, (list, tuple)):
        return [_old_form(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "function":
        return value["config"]
    if "class_name" in value and "config" in value:
        return {"class_name": value.get("registered_name") or value["class_name"], "config": _old_form(value["config"])}
    return {key: _old_form(item) for key, item in value.items()}
