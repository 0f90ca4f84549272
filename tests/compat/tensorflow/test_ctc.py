"""Beam searches of CTC find what TensorFlow finds: `ctc_cases.json` has its results."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

from compat.tensorflow.ctc_cases import SIZES, numbers
from cornu import ops
from cornu.compat.backend import functions
from cornu.compat.tensorflow import ctc, sparse

EXPECTED = json.loads((Path(__file__).parent / "ctc_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", range(len(SIZES)))
def test_equal_to_tensorflow(case):
    *_, width, paths = SIZES[case]
    logits, lengths = numbers(*SIZES[case][:3])
    labels, merged, backend, scores, backend_scores = EXPECTED[case]
    time_major = logits.transpose(1, 0, 2)
    found, found_scores = ctc.ctc_beam_search_decoder(time_major, lengths, width, paths)
    assert [np.asarray(sparse.to_dense(one, -1)).tolist() for one in found] == labels
    np.testing.assert_allclose(found_scores, scores, rtol=1e-4, atol=2e-5)
    found, _ = ctc.ctc_beam_search_decoder(time_major, lengths, width, paths, merge_repeated=True)
    assert [np.asarray(sparse.to_dense(one, -1)).tolist() for one in found] == merged
    chances = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    found, found_scores = functions.ctc_decode(chances, lengths, False, width, paths)
    assert [np.asarray(one).tolist() for one in found] == backend
    np.testing.assert_allclose(found_scores, backend_scores, rtol=1e-4, atol=2e-5)


def test_a_wide_beam_finds_every_sequence():
    logits, _ = numbers(1, 3, 3)
    labels, scores = ops.ctc_decode(logits, [3], "beam_search", 40, 15, mask_index=2)
    found = np.asarray(scores[0])
    real = found > -np.inf
    assert real.sum() == 9  # none, a, b, aa with a blank between, ab, ba, bb, aba, bab
    assert np.exp(found[real]).sum() == pytest.approx(1, abs=1e-5)
    assert len({tuple(one) for one in np.asarray(labels[:, 0])[real].tolist()}) == real.sum()


def test_nothing_is_heard_in_no_steps_and_sequences_may_fill_all_of_them():
    logits = np.log(np.eye(3, dtype="float32") * 0.98 + 0.01)[None]  # 0, 1, 2, without a blank between them
    labels, scores = jax.jit(lambda one: ops.ctc_decode(one, [3], "beam_search", mask_index=None))(
        np.pad(logits, ((0, 0), (0, 0), (0, 1)), constant_values=-9)
    )
    assert labels.tolist() == [[[0, 1, 2]]]
    assert scores[0, 0] < 0
    labels, scores = ops.ctc_decode(logits, [0], "beam_search")
    assert (labels.tolist(), scores.tolist()) == ([[[-1, -1, -1]]], [[0.0]])
