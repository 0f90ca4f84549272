"""``tf.strings`` and array functions on text, compared with what TensorFlow gave."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.compat.tensorflow import string_cases
from tests.compat.tensorflow.own_tensorflow import OwnTensorflow

from cornu.compat.tensorflow import ragged, strings  # noqa: F401 (ragged tensors)
from cornu.data.dataset import Dataset

ANSWERS = json.loads((Path(__file__).parent / "string_cases.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found():
    return {one["call"]: one for one in string_cases.results(OwnTensorflow(strings=strings))}


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer["call"])
def test_equal_to_tensorflow(found, answer):
    own = found[answer["call"]]
    assert own["shape"] == answer["shape"]
    if np.asarray(answer["value"]).dtype.kind == "f":
        np.testing.assert_allclose(own["value"], answer["value"])
    else:
        assert own["value"] == answer["value"]


def test_several_texts_have_parts_of_different_number():
    parts = strings.split(["a b", "c"])
    assert parts.to_list() == [[b"a", b"b"], [b"c"]]
    assert parts.to_tensor().numpy().tolist() == [[b"a", b"b"], [b"c", b""]]
    with pytest.raises(ValueError, match=r"one text or a vector of texts; got the shape \(1, 2\)"):
        strings.split([["a b", "c"]])


def test_text_of_a_data_set_is_a_tensor_of_bytes():
    source = Dataset.from_tensor_slices((["red", "é"], [0, 1])).batch(2)
    texts, labels = next(iter(source))
    assert texts.numpy().tolist() == [b"red", "é".encode()]
    assert texts[1].numpy().decode() == "é"
    assert [text.numpy() for text in texts] == [b"red", "é".encode()]
    assert str(texts) == "['red' 'é']"
    assert next(source.as_numpy_iterator())[0].tolist() == [b"red", "é".encode()]
    assert labels.numpy().tolist() == [0, 1]
