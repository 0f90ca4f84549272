"""``cornu evaluate MODEL``: loss and metrics of a trained model on data."""

import argparse
import json
import time

import numpy as np

from cornu.cli.common import UserError, data_for, model_from, refused, targets_for
from cornu.data.convert import rows_in
from cornu.visuals.measures import Classified, Tagged, fit_of, judged


def command(options: argparse.Namespace) -> int:
    """Evaluate what `options` name and return the exit code."""
    try:
        return _evaluate(options)
    except (UserError, ValueError, TypeError, OSError) as error:
        return refused(error)


def _evaluate(options: argparse.Namespace) -> int:
    model = model_from(options.model)
    x, y = data_for(model, options.data)
    rows = rows_in(x)
    if isinstance(y, dict) and not model.compiled:
        raise UserError(f"the model in {options.model!r} was saved without loss and metrics, and has several outputs.")
    if options.report and (isinstance(x, dict) or isinstance(y, dict)):
        raise UserError("--report supports only models with one input and one output.")
    started = time.perf_counter()
    if model.compiled:
        targets = targets_for(model, y)
        scores = model.evaluate(x, targets, batch_size=options.batch_size, verbose=0, return_dict=True)
        result = {name: float(value) for name, value in scores.items() if np.ndim(value) == 0}
    else:
        targets = y
        result = _score_uncompiled(model.predict(x, batch_size=options.batch_size, verbose=0), y)
    seconds = time.perf_counter() - started
    if options.report:
        model.report(options.report, x, targets, title=f"{options.model} on {options.data}")
    if options.json:
        said = {"model": options.model, "data": options.data, "rows": rows, **result, "seconds": round(seconds, 3)}
        print(json.dumps(said | ({"report": options.report} if options.report else {})))
        return 0
    numbers = ", ".join(f"{name} {value:.4f}" for name, value in result.items())
    print(f"{options.model} on {rows:,} rows of {options.data}: {numbers} ({seconds:.1f} s)")
    if options.report:
        print(f"The report is in {options.report}")
    return 0


def _score_uncompiled(outputs: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return the accuracy, or the error, of a model that was saved without loss and metrics."""
    found = judged(y, outputs)
    if isinstance(found, Classified):
        return {"accuracy": float((found.predicted == found.true).mean())}
    if isinstance(found, Tagged):
        return {"binary_accuracy": float(((found.probabilities >= 0.5) == found.true).mean())}
    fit = fit_of(found.true, found.predicted.astype("float64"))
    return {"mae": fit.mae, "rmse": fit.rmse, "r2": fit.r2}
