"""The benchmark page and its verdicts."""

import copy
import json

import pytest

from benchmarks import __main__ as bench
from benchmarks import musts, report, versions

STAMP = {
    "date": "2026-01-02",
    "machine": "two cores",
    "load": 0.1,
    "versions": {"cornu": {"cornu": "0.1"}},
    "missing": {"keras2": "it needs `python3.7`, which is not there"},
}
LOSSES = {"cornu": [0.5, 0.51], "torch": [0.51, 0.52], "keras-tensorflow": [0.5, 0.52], "jax": [0.5, 0.5]}


def epochs_row(task, seconds):
    per_peer = {name: [value, value, value] for name, value in seconds.items()}
    return {
        "task": task,
        "batch": 100,
        "rows": 1000,
        "steps": 10,
        "operations": 6e9,
        "seconds": per_peer,
        "losses": LOSSES,
    }


@pytest.fixture
def results():
    """Figures with which seed0 meets its row exactly, and seed1 does not."""
    times = {name: {"cornu": 1.0, "torch": 4.0, "keras-tensorflow": 9.0, "jax": 0.9} for name in ("seed2", "seed3")}
    times["seed0"] = {"cornu": 1.0, "torch": 2.5, "keras-tensorflow": 8.0, "jax": 1.0}
    times["seed1"] = {"cornu": 1.0, "torch": 1.4, "keras-tensorflow": 3.9, "jax": 1.1}
    times["seed4"] = {"cornu": 1.0, "torch": 3.0, "keras-tensorflow": 1.3, "jax": 9.0}
    rows = [epochs_row(name, times[name]) for name in sorted(times)]
    return {"tutorials": {"rows": rows, "peak": 10.0, "stamp": STAMP}}


def verdicts(results):
    return {line.what: (line.found, line.met) for line in musts.musts(results)}


def test_verdicts_follow_from_the_figures(results):
    found = verdicts(results)
    assert found["epoch of seed0, fastest peer, against PyTorch loop"] == ("2.50×", True)
    assert found["epoch of seed1, fastest peer, against PyTorch loop"] == ("1.40×", False)
    assert found["epoch of seed0, against Keras on TensorFlow"] == ("8.00×", True)
    assert found["epoch of seed1, against Keras on TensorFlow"] == ("3.90×", False)
    assert found["epoch of seed4, fastest peer, against Keras on TensorFlow"] == ("1.30×", True)
    assert found["epoch of seed0, never behind, against JAX loop"] == ("1.00×", True)
    assert found["epoch of seed3, never behind, against JAX loop"] == ("0.90×", False)
    assert found["fraction of peak, seed1's 512-512"] == ("60%", True)


def test_a_peer_that_is_not_there_has_no_line(results):
    for row in results["tutorials"]["rows"]:
        del row["seconds"]["keras-tensorflow"], row["seconds"]["jax"]
    assert not [what for what in verdicts(results) if "TensorFlow" in what or "JAX" in what]


def test_prediction_is_judged_against_rivals_and_against_the_machine(results):
    def row(what, **seconds):
        return {
            "what": what,
            "seconds": {name.replace("_", "-"): [value] for name, value in seconds.items()},
            "same": True,
        }

    one = row("one", cornu=0.001, keras_jax=0.003, keras_tensorflow=0.09, jax=0.0004)
    many = row("many", cornu=0.1, keras_jax=0.4, keras_tensorflow=0.9, jax=0.1, torch=0.12)
    evaluated = row("evaluate", cornu=0.2, keras_jax=0.5, keras_tensorflow=0.9, jax=0.3, torch=0.7)
    results["inference"] = {
        "rows": [one, one, many, one, evaluated], "operations": 1e10, "peak": 150.0, "stamp": STAMP,
    }  # fmt: skip
    found = verdicts(results)
    assert found["predict one row, against Keras on JAX"] == ("3.00×", True)
    assert found["predict one row, against Keras on TensorFlow"] == ("90.00×", False)
    assert found["predict one row, against a bare jitted call"] == ("2.50 times as long", False)
    assert found["predict 10,000 rows, fastest peer, against PyTorch loop"] == ("1.20×", False)
    assert found["predict 10,000 rows, against Keras on JAX"] == ("4.00×", True)
    assert found["fraction of peak, predict 10,000 rows"] == ("67%", True)
    assert found["fraction of peak, evaluate 10,000 rows"] == ("33%", False)
    del many["seconds"]["torch"], evaluated["seconds"]["torch"]
    assert "| many | 100 ±0% | 900 ±0% (9.00×) |" in report.page(results)


def test_the_page_explains_rows_that_are_not_met(results):
    assert "Targets not met" in report.page(results)
    results["tutorials"]["rows"] = [epochs_row(f"seed{n}", {"cornu": 1.0, "torch": 9.0}) for n in range(5)]
    assert "Targets not met" not in report.page(results)


def test_the_page_says_what_was_measured_and_where(results):
    page = report.page(results)
    assert "- All sections: 2026-01-02, two cores; load at the start 0.10. Cornu: cornu 0.1." in page
    assert "Keras 2.2.4 on TensorFlow 1.15 was skipped: it needs `python3.7`, which is not there." in page
    assert (
        "| epoch of seed1, fastest peer, against PyTorch loop | ≥ 1.5× | 1.40× | **not met** | 3× |"
        in page.splitlines()
    )
    assert "100 ±0%" in page  # ms per step: one second for ten steps
    assert "yes: 0.500 to 0.515" in page
    assert "Prediction" not in page


def test_the_pages_in_docs_are_what_the_scripts_write():
    assert bench.PAGE.read_text(encoding="utf-8") == report.page(report.read(bench.RESULTS))
    stored = json.loads(versions.RESULTS.read_text(encoding="utf-8"))
    assert versions.PAGE.read_text(encoding="utf-8") == versions.page(stored)


def test_sections_of_another_day_say_so(results):
    results["batches"] = copy.deepcopy(results["tutorials"])
    results["batches"]["stamp"]["date"] = "2026-02-03"
    page = report.page(results)
    assert "- Sections tutorials: 2026-01-02" in page
    assert "- Sections batches: 2026-02-03" in page


def test_different_losses_are_shown(results):
    results["tutorials"]["rows"][0]["losses"] = {"cornu": [0.5, 0.51], "torch": [0.9, 0.91]}
    assert "**no**: 0.505 to 0.905" in report.page(results)


def test_each_result_is_kept_as_soon_as_it_is_there(monkeypatch, results):
    saved = []

    def fails(lab):
        raise RuntimeError("the second measure fails")

    first = report.MEASURES["tutorials"]._replace(measure=lambda lab: {"rows": [1]})
    monkeypatch.setitem(report.MEASURES, "tutorials", first)
    monkeypatch.setitem(report.MEASURES, "batches", first._replace(measure=fails))
    with pytest.raises(RuntimeError, match="second"):
        report.run(["tutorials", "batches"], None, {}, STAMP, lambda kept: saved.append(json.dumps(kept)))
    assert [list(json.loads(text)) for text in saved] == [["tutorials"]]
    assert json.loads(saved[0])["tutorials"] == {"rows": [1], "stamp": STAMP}


def test_sequences_are_judged_row_by_row(results):
    name = "lstm-128x28x28x128"
    first, second = (epochs_row(each, {"cornu": 1.0, "torch": 1.2, "keras-torch": 90.0}) for each in (name, "imdb"))
    first["losses"] = second["losses"] = {"cornu": [0.5], "torch": [0.5]}
    del second["seconds"]["keras-torch"]
    loop = {"what": "one row", "seconds": {"cornu": [0.001], "jax": [0.0002]}, "same": True}
    start = {"what": "first step", "seconds": {"cornu": [2.0], "keras-jax": [3.0]}}
    del results["tutorials"]
    results["sequences"] = {"rows": [first, second], "loops": [loop], "first": start, "stamp": STAMP}
    found = verdicts(results)
    assert found[f"`{name}`, fastest peer, against PyTorch loop"] == ("1.20×", True)
    assert found["one row, beyond the arithmetic"] == ("0.80 ms", False)
    assert found["first step of an LSTM, nothing kept, against Keras on JAX"] == ("1.50×", True)
    page = report.page(results)
    assert (
        "| `imdb`: embedding 128, LSTM 128 on 80 tokens | 100 | 1,000 | 1.00 | 100 ±0% |  | 120 ±0% (1.20×) |" in page
    )


def test_loops_are_judged_beside_tensorflow_and_fit_beside_its_loop(results):
    del results["tutorials"]
    eager = {"task": "mlp", "how": "eager", "seconds": {"cornu": [2e-3], "keras-tensorflow": [3e-3]}}
    compiled = {"task": "cnn", "how": "function", "seconds": {"cornu": [2e-3], "keras-tensorflow": [2.8e-3]}}
    fit = {"task": "cnn", "how": "fit", "seconds": {"cornu": [2.4e-3], "loop": [2e-3]}}
    results["loops"] = {"rows": [eager, compiled, fit], "stamp": STAMP}
    assert verdicts(results) == {
        "loop of `mlp`, eager, against Keras on TensorFlow": ("1.50×", True),
        "loop of `cnn`, `tf.function`, against Keras on TensorFlow": ("1.40×", False),
        "`fit` of `cnn`, against its loop": ("1.20×", True),
    }
    assert "| `fit` | 2.40 |  | 1.20 times as long as `tf.function` |" in report.page(results)


def test_a_checkpoint_costs_what_makes_epochs_longer(results):
    row = {"task": "seed1", "plain": [1.0, 1.1, 1.0], "kept": [2.2, 2.2, 9.0], "waited": [0.25], "megabytes": 8.04}
    results["checkpoints"] = {"rows": [row, row | {"kept": [5.0]}], "stamp": STAMP}
    found = [
        (line.found, line.met) for line in musts.musts(results) if "one checkpoint of 8 MB per minute" in line.what
    ]
    assert found == [("2.0%", True), ("6.7%", False)]
    assert "| MLP 512-512, RMSprop | 8 MB | 0.250 | 1.20 | 2.0% |" in report.page(results)
