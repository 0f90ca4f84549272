"""What Keras's layers for categories and texts give on TensorFlow, which they need: `feature_answers.json` beside.

pip install keras==3.15.1 tensorflow-cpu==2.21.0
KERAS_BACKEND=tensorflow python tests/layers/feature_preprocessing/feature_answers.py

"""

import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("feature_answers.json")

WORDS = [["b", "a", "c"], ["a", "zz", ""], ["Ünï", "日本語", "[UNK]"]]
DATA = [["a", "b", "a"], ["c", "日本語", "a"], ["b", "zz", "Ünï"], ["", "x", "[UNK]"]]
TEXTS = [
    "The cat sat on the MAT.",
    "A dog; a  BIG dog:\tsat\non the log! It's don't",
    "Ünïcode “quotes” ÉÀ words_like_this e-mail@x",
    "",
    "   ",
    "no\u00a0break \u2028line\u001fend\x0bx \x00nul",
]
SEEN = [["the the cat"], ["a DOG, on It's, [UNK] 42"], [""], ["Ünïcode ünïcode log\u00a0no"]]
IDS = np.array([[5, 7, 2**40], [-1, 0, 5], [12, -3, 7]], "int64")
NUMBERS = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, float("inf")]], "float32")
STRINGS = [["A"], ["B"], [""], ["a longer string than sixteen"], ["日本語" * 9], ["x" * 200]]
MODES = ("one_hot", "multi_hot", "count", "tf_idf")


def lookups():
    """Yield the cases of StringLookup and IntegerLookup: a name, arguments, data to adapt to or None, and inputs."""
    words = ["a", "b", "日本語"]
    yield "StringLookup", {}, DATA, [WORDS, "a", ["a", "q"], [[["a"], ["b"]]]]
    yield "StringLookup", {"vocabulary": words, "mask_token": ""}, None, [WORDS, "", [["a"]]]
    yield "StringLookup", {"vocabulary": ["", "[UNK]", *words], "mask_token": ""}, None, [WORDS]
    yield "StringLookup", {"vocabulary": ["[UNK]", *words], "mask_token": "m"}, None, [WORDS]
    yield "StringLookup", {"num_oov_indices": 0, "vocabulary": words}, None, [[["a", "b"]], WORDS]
    yield "StringLookup", {"num_oov_indices": 0, "mask_token": ""}, DATA, [[["a", ""]]]
    yield "StringLookup", {"num_oov_indices": 5, "vocabulary": words}, None, [WORDS, STRINGS]
    yield "StringLookup", {"num_oov_indices": 5, "vocabulary": words, "salt": 7}, None, [WORDS, STRINGS]
    yield "StringLookup", {"num_oov_indices": 3, "salt": (1, 2**63 - 5), "mask_token": "a"}, DATA, [WORDS, STRINGS]
    yield "StringLookup", {"max_tokens": 4}, DATA, [WORDS]
    yield "StringLookup", {"max_tokens": 3, "mask_token": ""}, DATA, [WORDS]
    yield "StringLookup", {"oov_token": "b", "mask_token": "a"}, DATA, [WORDS]
    yield "StringLookup", {"invert": True, "vocabulary": words, "mask_token": ""}, None, [[[0, 1, 2, 9], [-1, 3, 4, 5]]]
    yield "StringLookup", {"invert": True, "num_oov_indices": 2}, DATA, [[[0, 1, 2, 9]], 3]
    yield "StringLookup", {"vocabulary": ["a", "a"]}, None, []
    yield "StringLookup", {"vocabulary": []}, None, []
    yield "StringLookup", {"vocabulary": ["a", ""], "mask_token": ""}, None, []
    yield "StringLookup", {"vocabulary": ["a", "[UNK]"], "invert": True}, None, []
    yield "StringLookup", {"vocabulary": ["a", "b"], "max_tokens": 2}, None, []
    yield "StringLookup", {"vocabulary": words}, DATA, []
    for mode in MODES:
        arguments = {"output_mode": mode, "mask_token": ""}
        yield "StringLookup", arguments, DATA, [WORDS, "a", ["a", "a", "q"], [["a"], ["q"]], [["a"]]]
        yield "StringLookup", arguments | {"max_tokens": 12, "pad_to_max_tokens": True}, DATA, [WORDS]
        weights = {"idf_weights": [0.5, 0.25, 2.0]} if mode == "tf_idf" else {}
        yield "StringLookup", {"output_mode": mode, "vocabulary": words, "num_oov_indices": 2} | weights, None, [WORDS]
        yield "IntegerLookup", {"output_mode": mode, "mask_token": 0}, IDS, [IDS, 5]
    yield "StringLookup", {"output_mode": "tf_idf", "vocabulary": words}, None, []
    yield "StringLookup", {"output_mode": "tf_idf", "vocabulary": words, "idf_weights": [1.0]}, None, []
    full = {"vocabulary": ["[UNK]", *words], "idf_weights": [9.0, 0.5, 0.25, 2.0]}
    yield "StringLookup", {"output_mode": "tf_idf", "max_tokens": 6, "pad_to_max_tokens": True} | full, None, [WORDS]
    yield "StringLookup", {"output_mode": "count", "vocabulary": words}, None, [[[["a", "b"], ["a", "q"]]]]
    yield "StringLookup", {"output_mode": "one_hot", "vocabulary": words}, None, [[[["a", "b"], ["a", "q"]]]]
    yield "IntegerLookup", {}, IDS, [IDS, 7, [7, 8]]
    yield "IntegerLookup", {"vocabulary": [12, 2**40, -3], "mask_token": 0}, None, [IDS]
    yield "IntegerLookup", {"vocabulary": [12, 5], "num_oov_indices": 3}, None, [IDS]
    yield "IntegerLookup", {"vocabulary": [12, 5], "num_oov_indices": 3, "oov_method": "farmhash"}, None, [IDS]
    farm = {"num_oov_indices": 3, "oov_method": "farmhash", "salt": 11}
    yield "IntegerLookup", {"vocabulary": [12, 5]} | farm, None, [IDS]
    yield "IntegerLookup", {"vocabulary": [12, 5], "salt": 11}, None, []
    yield "IntegerLookup", {"num_oov_indices": 0, "vocabulary": [12, 5]}, None, [IDS, [[5, 12]]]
    yield "IntegerLookup", {"invert": True, "vocabulary": [12, 2**40], "mask_token": 0}, None, [[[0, 1, 2, 3, 9]]]
    yield "IntegerLookup", {"max_tokens": 3, "oov_token": 5}, IDS, [IDS]


def texts():
    """Yield the cases of TextVectorization."""
    yield "TextVectorization", {}, TEXTS, [SEEN, TEXTS, "the cat", [""]]
    for standardize in (None, "lower", "strip_punctuation"):
        yield "TextVectorization", {"standardize": standardize}, TEXTS, [SEEN]
    yield "TextVectorization", {"split": "character"}, TEXTS, [SEEN]
    yield "TextVectorization", {"split": "character", "ngrams": (2,)}, TEXTS, [SEEN]
    yield "TextVectorization", {"split": None}, TEXTS, [TEXTS, SEEN, "the cat", [["a dog", "the"]]]
    yield "TextVectorization", {"split": None, "output_mode": "count"}, TEXTS, [TEXTS, SEEN]
    yield "TextVectorization", {"split": None, "ngrams": 2}, [["a", "b", "c"], ["b", "c", "a"]], [[["a", "b", "c"]]]
    for length in (2, 9):
        yield "TextVectorization", {"output_sequence_length": length}, TEXTS, [SEEN, "the cat sat"]
        given = {"output_sequence_length": length, "ngrams": 3, "vocabulary": ["the", "the cat", "a", "dog on its"]}
        yield "TextVectorization", given, None, [SEEN]
    for ngrams in (1, 2, (2,), (3, 1)):
        yield "TextVectorization", {"ngrams": ngrams}, TEXTS, [SEEN]
        yield "TextVectorization", {"ngrams": ngrams, "output_mode": "count"}, TEXTS, [SEEN]
    for mode in MODES[1:]:
        yield "TextVectorization", {"output_mode": mode}, TEXTS, [SEEN, "the the cat", TEXTS]
        padded = {"output_mode": mode, "max_tokens": 40, "pad_to_max_tokens": True}
        yield "TextVectorization", padded, TEXTS, [SEEN]
        yield "TextVectorization", {"output_mode": mode, "max_tokens": 5}, TEXTS, [SEEN]
    given = {"output_mode": "tf_idf", "vocabulary": ["the", "cat"], "idf_weights": [0.5, 1.5]}
    yield "TextVectorization", given, None, [SEEN]
    yield "TextVectorization", {"max_tokens": 4}, TEXTS, [SEEN]
    yield "TextVectorization", {"vocabulary": ["", "[UNK]", "the"]}, None, [SEEN]
    yield "TextVectorization", {"vocabulary": ["the"]}, None, [[["a", "b"]]]
    yield "TextVectorization", {"output_mode": "count", "output_sequence_length": 3}, None, []


def others():
    """Yield the cases of the layers without a vocabulary."""
    for salt in (None, 133, (133, 137), [1, 2**62]):
        yield "Hashing", {"num_bins": 1000, "salt": salt}, None, [STRINGS, IDS, WORDS, "A"]
        yield "Hashing", {"num_bins": 3, "mask_value": "", "salt": salt}, None, [STRINGS]
        lengths = [[chr(97 + length % 26) * (length - 1) + "é"] for length in range(1, 135)]
        yield "Hashing", {"num_bins": 2**31 - 1, "salt": salt}, None, [lengths]
    yield "Hashing", {"num_bins": 1, "mask_value": ""}, None, [STRINGS]
    yield "Hashing", {"num_bins": 9, "mask_value": 5}, None, [IDS]
    yield "Hashing", {"num_bins": 9}, None, [np.array([[1.9, -2.5]], "float32")]
    for mode in MODES[:3]:
        yield "Hashing", {"num_bins": 4, "output_mode": mode}, None, [STRINGS, WORDS, IDS, ["A", "B"]]
    yield "Hashing", {"num_bins": 0}, None, []
    strings, numbers = np.array(["A", "B", "A", "B", "日"]), np.array([101, 101, -1, 2**40, 102])
    for mode in (*MODES[:1], "int"):
        pairs = [(strings, numbers), (strings[:, None], numbers[:, None]), (strings, strings, numbers)]
        yield "HashedCrossing", {"num_bins": 5, "output_mode": mode}, None, pairs
    yield "HashedCrossing", {"num_bins": 10**6}, None, [(strings, numbers), (numbers, numbers[::-1])]
    yield "HashedCrossing", {"num_bins": 5}, None, [(strings, numbers[:2]), (strings,), (strings[None], numbers[None])]
    random = np.random.default_rng(0)
    many = random.standard_normal((500, 3)).astype("float32")
    for mode in ("int", *MODES[:3]):
        yield "Discretization", {"bin_boundaries": [0.0, 1.0, 2.0], "output_mode": mode}, None, [NUMBERS]
        yield "Discretization", {"num_bins": 4, "output_mode": mode}, many, [NUMBERS, NUMBERS[:, :1]]
    yield "Discretization", {"num_bins": 10, "epsilon": 0.05}, many, [many[:9]]
    yield "Discretization", {"num_bins": 4}, NUMBERS, [NUMBERS]
    yield "Discretization", {"num_bins": 4, "bin_boundaries": [1.0]}, None, []
    yield "Discretization", {}, None, []
    yield "Discretization", {"num_bins": 3}, None, [NUMBERS]
    for mode in MODES[:3]:
        inputs = [np.array([[0, 1], [3, 3]]), np.array([2, 3]), np.array([[1], [0]]), 2]
        yield "CategoryEncoding", {"num_tokens": 4, "output_mode": mode}, None, inputs
        yield "CategoryEncoding", {"num_tokens": 2, "output_mode": mode}, None, [np.array([[[0, 1], [1, 5]]])]
    yield "CategoryEncoding", {"num_tokens": 0}, None, []
    yield "CategoryEncoding", {}, None, []


CASES = [*lookups(), *texts(), *others()]


def asked(layers, case):
    """Return what a layer of a case answers: its vocabulary, config and outputs, or that it raises an error."""
    name, arguments, data, inputs = case
    found = {}
    try:
        layer = getattr(layers, name)(name="layer", **arguments)
        if data is not None:
            layer.adapt(data)
    except Exception as error:  # of which kind is Keras's own business
        return {"error": type(error).__name__}
    if hasattr(layer, "get_vocabulary"):
        found["vocabulary"] = [plain(token) for token in layer.get_vocabulary()]
        found["tokens"] = [plain(token) for token in layer.get_vocabulary(include_special_tokens=False)]
        found["size"] = layer.vocabulary_size()
    found["config"] = json.loads(json.dumps(layer.get_config(), default=plain))
    found["outputs"] = [output(layer, one) for one in inputs]
    return found


def output(layer, given):
    """Return the outputs for one input, or that there is an error."""
    try:
        array = np.asarray(layer(given))
    except Exception as error:
        return {"error": type(error).__name__}
    kind = "string" if array.dtype.kind == "O" else array.dtype.kind
    return {"kind": kind, "shape": list(array.shape), "values": [plain(one) for one in array.ravel().tolist()]}


def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    return value.tolist() if hasattr(value, "tolist") else str(value) if isinstance(value, str) else value


if __name__ == "__main__":
    import keras

    answers = [asked(keras.layers, case) for case in CASES]
    lines = ",\n".join(json.dumps(answer, ensure_ascii=False) for answer in answers)
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
