"""Optimizer configs of Keras 2 and TensorFlow in today's spelling. Old keywords are in `keywords.py`."""

from typing import Any

#: Keys that say how TensorFlow computes, or which of its two families of optimizers one belongs to.
UNNEEDED = frozenset(("jit_compile", "is_legacy_optimizer", "gradient_aggregator", "gradient_transformers"))


def translate_optimizer_config(cls: type, config: Any) -> Any:
    """Return the config of an optimizer of class `cls`, as some version of Keras wrote it, in today's spelling."""
    if not isinstance(config, dict):
        return config
    result = {key: value for key, value in config.items() if key not in UNNEEDED}
    if cls.__name__ == "Nadam" and "decay" in result and "use_ema" not in result:
        result["schedule_decay"] = result.pop("decay")  # what tf.keras until 2.10 meant by it
    if cls.__name__ == "LossScaleOptimizer":
        return _loss_scale(result)
    return result


def _loss_scale(config: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a LossScaleOptimizer as today's; tf.keras 2.1 to 2.3 had the scale in an object."""
    if "optimizer" in config:
        config["inner_optimizer"] = config.pop("optimizer")
    scale = config.pop("loss_scale", None)
    if isinstance(scale, dict) and isinstance(scale.get("config"), dict):
        known = {"initial_loss_scale": "initial_scale", "increment_period": "dynamic_growth_steps"}
        config |= {new: scale["config"][old] for old, new in known.items() if old in scale["config"]}
        config["dynamic"] = scale.get("class_name") == "DynamicLossScale"
    return config
