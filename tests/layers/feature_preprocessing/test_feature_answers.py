"""All layers for categories and texts, in all modes, give what Keras gives on TensorFlow: see `feature_answers.py`."""

import json

import numpy as np
import pytest

from cornu import layers
from layers.feature_preprocessing import feature_answers
from layers.feature_preprocessing.feature_answers import CASES

ANSWERS = json.loads(feature_answers.FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{number} {CASES[number][0]}")
def test_a_layer_answers_as_keras(number):
    ours, theirs = feature_answers.asked(layers, CASES[number]), ANSWERS[number]
    assert set(ours) == set(theirs), (ours.get("error"), theirs.get("error"))
    for key in ("vocabulary", "tokens"):
        # Keras's list loses NUL at the end of a token: a fault of numpy's strings.
        assert [_without_nul(token) for token in ours.get(key, [])] == theirs.get(key, []), key
    assert ours.get("size") == theirs.get("size")
    assert_same_config(ours, theirs)
    for position, (one, other) in enumerate(zip(ours.get("outputs", ()), theirs.get("outputs", ()), strict=True)):
        assert_same_output(one, other, f"input {position}")


def _without_nul(token):
    return token.rstrip("\0") if isinstance(token, str) else token


def assert_same_config(ours, theirs):
    """Keras loses a vocabulary with other line breaks than \\n, or an empty token at the end: ours is in the config."""
    config = dict(ours.get("config", {}))
    if "has_input_vocabulary" in config:
        lines = "\n".join(ours["vocabulary"]).splitlines()
        assert lines != ours["vocabulary"] or not lines[-1]
        assert config.pop("has_input_vocabulary") is False
        assert config["vocabulary"] == ours["vocabulary"]
        config |= {"vocabulary": None, "idf_weights": None}
    assert config == theirs.get("config", {})


def assert_same_output(ours, theirs, where):
    assert set(ours) == set(theirs), (where, ours, theirs)
    if "error" in ours:
        return
    assert ours["kind"] == theirs["kind"], where
    assert ours["shape"] == theirs["shape"], where
    if ours["kind"] == "string":
        assert ours["values"] == theirs["values"], where
    else:
        np.testing.assert_allclose(ours["values"], theirs["values"], rtol=1e-6, err_msg=where)
