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
    b"\xff\xff\xff\xff\xff\xff\xff\xff \xff\x80 \xff",
    "日本語 é\u00a0é\u2028x é".encode(),
    b"a\x0bb\x0cc\rd\x1ce\x85f",
]


def check(texts, how=None):
    split = [tokens.standardized(text, how).split() for text in texts]
    words = tokens.words_in(b"\0".join(texts), len(texts), how)
    assert words.numbers.tolist() == [len(row) for row in split]
    flat = [word for row in split for word in row]
    assert words.integers.tolist() == [int.from_bytes(word[: tokens.SHORT], "little") for word in flat]
    assert words.long == [word for word in flat if len(word) > tokens.SHORT]
    assert words.long_places.tolist() == [place for place, word in enumerate(flat) if len(word) > tokens.SHORT]
    counts = collections.Counter({b"a": 5})
    words.add_to(counts)
    expected = collections.Counter({b"a": 5})
    expected.update(flat)
    assert counts == expected


@pytest.mark.parametrize("how", tokens.STANDARDIZED)
def test_words_of_texts(how):
    for text in TEXTS:
        check([text], how)
        check([text, b"", text], how)
    check(TEXTS, how)


@pytest.mark.parametrize("seed", range(20))
def test_words_of_any_bytes(seed):
    random = np.random.default_rng(seed)
    letters = np.frombuffer(b" \n\t\x0b\x0c\rab\xc3\x9f\xfe\x1c\x85\x01A,\0", np.uint8)
    text = random.choice(letters, random.integers(0, 3000), p=random.dirichlet(np.ones(len(letters)))).tobytes()
    texts = text.split(b"\0")
    check(texts, random.choice(list(tokens.STANDARDIZED)))
    assert tokens.words_in(text, len(texts) + 1, None) is None  # a text has a zero byte
