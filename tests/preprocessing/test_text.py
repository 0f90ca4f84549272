"""Tokenizers as in Keras 3; what they make of texts is compared with keras-preprocessing in `test_old_answers.py`."""

import io
import json
import pickle

import numpy as np
import pytest

from cornu.preprocessing import text

TEXTS = ["The cat sat, the dog ran.", "Ünïcode don't\tsplit", ""]


@pytest.fixture
def reference(real_keras):
    from keras.src.legacy.preprocessing import text as reference

    return reference


def fitted(module=text, **arguments):
    tokenizer = module.Tokenizer(**arguments)
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


@pytest.mark.parametrize("arguments", [{}, {"oov_token": "?"}, {"num_words": 3}, {"char_level": True, "lower": False}])
def test_json_is_read_by_both(reference, arguments):
    ours, theirs = fitted(**arguments), fitted(reference, **arguments)
    for written, reader in ((ours, reference), (theirs, text)):
        again = reader.tokenizer_from_json(written.to_json())
        assert again.texts_to_sequences(TEXTS) == theirs.texts_to_sequences(TEXTS)
        assert again.document_count == 3
        assert again.index_word == theirs.index_word
    assert json.loads(ours.to_json(indent=1)).keys() == json.loads(theirs.to_json()).keys()


def test_analyzer(reference):
    def pieces(one):
        return one.lower().split("a")

    assert fitted(analyzer=pieces).word_index == fitted(reference, analyzer=pieces).word_index
    assert text.hashing_trick("bab", 9, "md5", analyzer=pieces) == reference.hashing_trick(
        "bab", 9, "md5", analyzer=pieces
    )


@pytest.mark.old_spellings
def test_pickles_of_every_keras_load(reference):
    theirs = fitted(reference)

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            return text.Tokenizer if name == "Tokenizer" else super().find_class(module, name)

    again = Reader(io.BytesIO(pickle.dumps(theirs))).load()
    assert again.texts_to_sequences(TEXTS) == theirs.texts_to_sequences(TEXTS)
    old = text.Tokenizer.__new__(text.Tokenizer)
    old.__setstate__({"nb_words": 9, "word_index": {"cat": 1}, "filters": text.FILTERS, "split": " ", "lower": True})
    assert (old.texts_to_sequences(["a Cat"]), old.num_words, old.nb_words, old.index_word) == ([[1]], 9, 9, {1: "cat"})
    assert pickle.loads(pickle.dumps(fitted())).word_index == fitted().word_index


@pytest.mark.old_spellings
def test_lists_of_words_and_matrices_without_texts():
    tokenizer = text.Tokenizer(nb_words=4)
    tokenizer.fit_on_texts([["A", "b"], ["a"]])
    assert tokenizer.texts_to_sequences([["B", "a", "c"]]) == [[2, 1]]
    assert tokenizer.sequences_to_matrix([[1, 1, 9], []], "count").tolist() == [[0, 2, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: text.Tokenizer().fit_on_texts(["a", np.nan]), TypeError, "text 1 is float: 'nan'"),
        (lambda: text.text_to_word_sequence(b"a"), TypeError, "takes a string; got bytes"),
        (lambda: text.Tokenizer(words=3), TypeError, "Tokenizer has no argument 'words'. Did you mean 'num_words'"),
        (lambda: text.Tokenizer().texts_to_matrix(["a"]), ValueError, "call fit_on_texts first"),
        (lambda: text.Tokenizer(5).texts_to_matrix(["a"], "tfidf"), ValueError, "needs counted texts"),
        (lambda: fitted().texts_to_matrix(["a"], "tf-idf"), ValueError, "Unknown mode: 'tf-idf'. Did you mean 'tfidf'"),
        (lambda: fitted().sequences_to_matrix([[-1]]), ValueError, "must not be negative; got -1"),
        (lambda: text.one_hot("a b", 1), ValueError, "n must be at least 2"),
        (lambda: text.hashing_trick("a", 9, "sha"), ValueError, "Unknown hash_function"),
        (lambda: text.tokenizer_from_json("{}"), ValueError, "not the JSON of a Tokenizer"),
        (lambda: text.tokenizer_from_json("no"), ValueError, "not the JSON of a Tokenizer"),
    ],
)
def test_mistakes(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
