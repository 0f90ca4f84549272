"""What a model was compiled with, in files of Keras 3 and of Keras 2."""

import warnings
from typing import Any

from cornu.core import registry
from cornu.core.config import deserialize, serialize
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


def compile_from(model: Any, config: dict[str, Any], custom_objects: dict | None, source: Source) -> bool:
    """Compile a model as a file says, and make the optimizer's variables.

    Tells whether the file says which optimizer that is. ValueError that names the file where something is not known.
    """
    with registry.CustomObjectScope(custom_objects or {}):
        try:
            model.compile_from_config(config)
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                f"The model of {source} cannot be compiled as it was: {error}\n"
                "Pass losses and metrics of your own in custom_objects, or load with compile=False and compile it."
            ) from error
    if model.built and model.optimizer is not None:
        model.optimizer.prepare(model.trainable_variables)
    if config.get("optimizer") is None and model.compiled:
        warnings.warn(
            f"The file {source} does not say which optimizer the model was compiled with: it has "
            f"{type(model.optimizer).__name__} now. Compile it anew before training on.",
            UserWarning,
            stacklevel=4,
        )
        return False
    return True


def compile_arguments(config: dict[str, Any]) -> dict[str, Any]:
    """Return arguments for `compile` from plain data: names of the user's own things looked up, configs made objects.

    >>> compile_arguments({"loss": "mse", "metrics": ["accuracy"], "loss_weights": None})
    {'loss': 'mse', 'metrics': ['accuracy']}
    """
    known = {key: value for key, value in config.items() if value is not None and key in (*TABLES, *OTHERS)}
    return {key: _meant(value, TABLES[key]) if key in TABLES else deserialize(value) for key, value in known.items()}


def _meant(value: Any, table: registry.Table) -> Any:
    """Return what stands in a config for a loss, metric or optimizer, or a list or dictionary of them."""
    if isinstance(value, str):
        custom = registry.custom_object(value)
        return value if custom is None else custom
    if isinstance(value, (list, tuple)):
        return [_meant(item, table) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value:
        return {key: _meant(item, table) for key, item in value.items()}
    if value["class_name"] == "MeanMetricWrapper":  # Keras 2.3 to 2.15: the function says what it is
        value = value["config"].get("fn")
        return _meant(value, table)
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
    others = {key: _old_form(value) for key, value in config.items() if key != "optimizer"}
    return {"optimizer_config": optimizer} | others


def _telling(optimizer: dict[str, Any]) -> dict[str, Any]:
    """Return an optimizer's config without what Keras 2 lacks and its default says anyway."""
    from inspect import signature

    cls = registry.OPTIMIZERS.things.get(optimizer["class_name"])
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
