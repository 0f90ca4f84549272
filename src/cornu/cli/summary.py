"""``cornu summary MODEL``: the layers of a trained model."""

import argparse
import json
from typing import Any

from cornu.cli.common import UserError, model_from, refused
from cornu.visuals.summary import shape_text


def command(options: argparse.Namespace) -> int:
    """Print the summary of the model that `options` name and return the exit code."""
    try:
        model = model_from(options.model)
        if options.json:
            print(json.dumps(described(model)))
        else:
            model.summary(
                line_length=options.line_length,
                expand_nested=options.expand_nested,
                show_trainable=options.show_trainable,
            )
    except (UserError, ValueError) as error:
        return refused(error)
    return 0


def described(model: Any) -> dict[str, Any]:
    """Return the layers and numbers of parameters of a model as plain data."""
    layers = [
        {
            "name": layer.name,
            "class": type(layer).__name__,
            "output_shape": shape_text(layer, model._network),
            "params": layer.count_params() if layer.built else 0,
            "trainable": bool(layer.trainable_weights),
        }
        for layer in model.layers
    ]
    trained = sum(variable.size for variable in model.trainable_weights)
    rest = sum(variable.size for variable in model.non_trainable_weights)
    counts = {"total": trained + rest, "trainable": trained, "non_trainable": rest}
    return {"name": model.name, "class": type(model).__name__, "layers": layers, "params": counts}
