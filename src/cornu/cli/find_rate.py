"""``cornu find-lr MODEL``: find a learning rate by a range test."""

import argparse
import json
from pathlib import Path
from typing import Any

from cornu.callbacks import LearningRateFinder
from cornu.cli import train
from cornu.cli.common import UserError, data_for, model_from, refused, targets_for
from cornu.core.errors import did_you_mean
from cornu.core.seeds import set_random_seed
from cornu.data.convert import rows_in


def command(options: argparse.Namespace) -> int:
    """Try learning rates for the model that `options` name and return the exit code: 1 if none is good."""
    out = Path(options.out or "learning-rate.svg")
    if out.suffix.lower() != ".svg":
        return refused(f"the curve is drawn as SVG: --out {out.with_suffix('.svg')}")
    if options.seed is not None:
        set_random_seed(options.seed)
    try:
        finder = LearningRateFinder(options.lowest, options.highest, options.steps)
        model, x, y = _model_and_data(options)
        epochs = -(-options.steps * options.batch_size // rows_in(x))
        model.fit(x, y, batch_size=options.batch_size, epochs=epochs, verbose=0, callbacks=[finder])
        finder.plot(out)
    except KeyboardInterrupt:
        print("cornu: interrupted")
        return 130
    except (UserError, ValueError, TypeError, RuntimeError, OSError) as error:
        return refused(error)
    _report(finder, options, out)
    return 0 if finder.suggestion else 1


def _model_and_data(options: argparse.Namespace) -> tuple[Any, Any, Any]:
    examples = train.find_examples()
    if options.model in examples:
        if options.data is not None:
            raise UserError(f"{options.model} has its own data; --data is only for a model file.")
        module = train.load_example(examples[options.model])
        return module.build_model(), *module.load_data()[0]
    if not Path(options.model).exists() and "." not in options.model:
        hint = did_you_mean(options.model, examples)
        raise UserError(f"{options.model!r} is neither a file nor one of {', '.join(examples)}.{hint}")
    model = model_from(options.model)
    if not model.compiled:
        raise UserError(f"the model in {options.model!r} was saved without optimizer and loss: it cannot be trained.")
    x, y = data_for(model, options.data or "mnist", "train")
    return model, x, targets_for(model, y)


def _report(finder: LearningRateFinder, options: argparse.Namespace, out: Path) -> None:
    if options.json:
        result = {
            "model": options.model,
            "suggestion": finder.suggestion,
            "curve": str(out.resolve()),
            "rates": finder.rates,
            "losses": finder.losses,
        }
        print(json.dumps(result))
        return
    if finder.suggestion is None:
        print("The loss never fell: no learning rate can be recommended.")
    else:
        print(f"The loss fell fastest at a learning rate of {finder.suggestion:.1e}; try that, or a third of it.")
    print(f"The curve of {len(finder.rates)} rates is in {out}")
