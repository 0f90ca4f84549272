"""Words are counted as Python counts them."""

import collections

import numpy as np
import pytest

from cornu.layers.feature_preprocessing import tokens

TEXTS = [
    b"",
    b" ",
    b"\n\t",
    b"a",
    b" a ",
    b"12345678 123456789 1234567",
    b"a\0 a \0",
    b"\xff\xff\xff\xff\xff\xff\xff\xff \xff\x80 \xff",
    "日本語 é\u00a0é\u2028x é".encode(),
    b"a\x0bb\x0cc\rd\x1ce\x85f",
]


@pytest.mark.parametrize("text", TEXTS)
def test_words_of_texts(text):
    counts = collections.Counter({b"a": 5})
    tokens.count_words(text, counts)
    expected = collections.Counter({b"a": 5})
    expected.update(text.split())
    assert counts == expected


@pytest.mark.parametrize("seed", range(20))
def test_words_of_any_bytes(seed):
    random = np.random.default_rng(seed)
    letters = np.frombuffer(b" \n\t\x0b\x0c\rab\xc3\x9f\xfe\x1c\x85\x01", np.uint8)
    text = random.choice(letters, random.integers(0, 3000), p=random.dirichlet(np.ones(len(letters)))).tobytes()
    counts = collections.Counter()
    tokens.count_words(text, counts)
    assert counts == collections.Counter(text.split())
