"""The compile arguments of a model in files of Keras 3 and Keras 2."""

import warnings
from inspect import signature
from typing import Any

from cornu.core import registry
from cornu.core.errors import one_line
from cornu.core.serialization import deserialize, serialize
from cornu.saving.source import Source

#: Argument of `compile` -> the table for names in it.
TABLES = {
    "optimizer": registry.OPTIMIZERS,
    "loss": registry.LOSSES,
    "metrics": registry.METRICS,
    "weighted_metrics": registry.METRICS,
}
OTHERS = ("loss_weights", "run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss")


def compile_config(model: Any) -> dict[str, Any] | None:
    """Return the arguments of `compile` as plain data; None, with a warning, if they cannot be saved."""
    if not model.compiled:
        return None
    try:
        return serialize(model.get_compile_config())
    except TypeError as error:
        warnings.warn(
            f"The file will not have the arguments of compile() or the optimizer's state: {error}\n"
            "Compile the model again after loading it.",
            UserWarning,
            stacklevel=5,
        )
        return None


def compile_from(
    model: Any, config: dict[str, Any], custom_objects: dict | None, source: Source, optimizer_name: str | None = None
) -> None:
    """Compile a model as it was saved, and make the optimizer's variables.

    Keras 3 leaves the optimizer out of a ``.keras`` file if the model was saved as ``.h5`` before: then
    `optimizer_name` with its default settings is used, with a warning. ValueError that names the file if something
    is unknown.
    """
    if config.get("optimizer") is None:
        config = config | {"optimizer": _optimizer_by_name(optimizer_name, source)}
    with registry.CustomObjectScope(custom_objects or {}):
        try:
            model.compile_from_config(config)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"The model of {source} cannot be compiled as it was: {error}\n"
                "Pass custom losses and metrics in custom_objects, or load with compile=False and compile it."
            ) from error
    if model.built and model.optimizer is not None:
        model.optimizer.prepare(model.trainable_variables)


def _optimizer_by_name(name: str | None, source: Source) -> str:
    """Return the name of the optimizer to use if a file does not name it, and warn."""
    stem = (name or "").rstrip("0123456789").rstrip("_")
    chosen = stem if stem in registry.OPTIMIZERS else "rmsprop"
    warnings.warn(
        f"The file {source} does not say which optimizer the model was compiled with; its state is named "
        f"{one_line(str(name), 80)!r}. The model now has {chosen!r} with default settings: compile it "
        "again if it had others.",
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
    return {key: _parsed(value, TABLES[key]) if key in TABLES else deserialize(value) for key, value in known.items()}


def _parsed(value: Any, table: registry.Table) -> Any:
    """Return the config of a loss, metric or optimizer, or a list or dictionary of them."""
    if isinstance(value, str):
        custom = registry.custom_object(value)
        return value if custom is None else custom
    if isinstance(value, (list, tuple)):  # tf.keras 2 writes [None] for an output without metrics
        return [None if item == [None] else _parsed(item, table) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value:
        return {key: _parsed(item, table) for key, item in value.items()}
    if value["class_name"] == "MeanMetricWrapper":  # Keras 2.3 to 2.15
        return _wrapped_metric(value, table)
    return deserialize(value, table=table)


def _wrapped_metric(value: dict[str, Any], table: registry.Table) -> Any:
    """Return a metric that averages a function: its name says what logs call it, its function what it is.

    ``"accuracy"`` stands there with the kind of accuracy that it was for the model's outputs.
    """
    settings = value["config"] if isinstance(value.get("config"), dict) else {}
    function, name = settings.get("fn"), settings.get("name")
    if name in ("accuracy", "acc") and str(function).endswith("_accuracy"):
        return name
    plain = isinstance(function, str) and registry.custom_object(function) is None and function in registry.METRICS
    return deserialize(value, table=table) if plain and name not in (None, function) else _parsed(function, table)


def from_training_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return the attribute ``training_config`` of a ``.h5`` file as Keras 3's compile config."""
    return {key: value for key, value in config.items() if key != "optimizer_config"} | {
        "optimizer": config.get("optimizer_config")
    }


def to_training_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return a compile config as the attribute ``training_config`` of a ``.h5`` file."""
    optimizer = config["optimizer"]
    if isinstance(optimizer, dict):
        name = optimizer.get("registered_name") or optimizer["class_name"]
        optimizer = {"class_name": name, "config": _without_defaults(optimizer)}
    others = {key: _old_form(value) for key, value in config.items() if key not in ("optimizer", "loss")}
    return {"optimizer_config": optimizer, "loss": _whole_names(_old_form(config["loss"]))} | others


def _whole_names(loss: Any) -> Any:
    """Return losses by their full names: Keras 3 cannot read short ones such as ``mse`` from these files."""
    if isinstance(loss, str):
        return getattr(registry.LOSSES.get(loss), "__name__", loss)
    if isinstance(loss, list):
        return [_whole_names(item) for item in loss]
    if isinstance(loss, dict) and "class_name" not in loss:
        return {key: _whole_names(item) for key, item in loss.items()}
    return loss


def _without_defaults(optimizer: dict[str, Any]) -> dict[str, Any]:
    """Return an optimizer's config without arguments that Keras 2 lacks and that have their default."""
    cls = registry.OPTIMIZERS.get(optimizer["class_name"])
    config = optimizer["config"]
    if cls is None:
        return config
    defaults = {name: parameter.default for name, parameter in signature(cls.__init__).parameters.items()}
    silent = (*GENERAL, "name")
    return {key: value for key, value in config.items() if key not in silent or value != defaults.get(key)}


#: Arguments of all Keras 3 optimizers that Keras 2's do not have.
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
