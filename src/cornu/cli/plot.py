"""``cornu plot MODEL``: the diagram of a trained model."""

import argparse
import contextlib
import io
import json
from pathlib import Path

from cornu.cli.common import UserError, model_from, refused
from cornu.visuals.diagrams import plot_model


def command(options: argparse.Namespace) -> int:
    """Draw the model that `options` name and return the exit code."""
    out = Path(options.out or Path(options.model).with_suffix(".svg").name)
    chosen = {
        "show_shapes": not options.no_shapes,
        "show_layer_names": True,
        "show_layer_activations": True,
        "rankdir": options.rankdir,
        "expand_nested": options.expand_nested,
        "show_trainable": options.show_trainable,
    }
    try:
        model = model_from(options.model)
        if out.suffix.lower() == ".svg":
            model.diagram(**chosen).save(out)
        else:
            with contextlib.redirect_stdout(io.StringIO()):  # pydot prints Graphviz's messages
                plot_model(model, out, **chosen)
    except (UserError, ValueError, OSError, ImportError) as error:
        return refused(error)
    except Exception:  # pydot's own, if Graphviz does not know the format
        return refused(f"Graphviz cannot draw {str(out)!r}: use a name that ends in .svg, .png or .pdf.")
    print(json.dumps({"model": options.model, "drawing": str(out.resolve())}) if options.json else f"Drawn in {out}")
    return 0
