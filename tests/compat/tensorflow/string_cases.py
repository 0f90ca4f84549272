"""Calls of ``tf.strings``, and of array functions on text: ``python string_cases.py FILE`` with TensorFlow 2.

`string_cases.json` is what it wrote with TensorFlow 2.21: each call, and its result.
"""

import json
import sys

import numpy as np

CALLS = r"""
tf.strings.lower(t); tf.strings.lower("É A"); tf.strings.lower("É A", encoding="utf-8"); tf.strings.upper(t)
tf.strings.upper("é a"); tf.strings.upper(["é a"], encoding="utf-8"); tf.strings.strip(["  a b ", "\tc\n"])
tf.strings.length(t); tf.strings.length("é"); tf.strings.length(["é", ""], unit="UTF8_CHAR"); tf.strings.substr(t, 0, 3)
tf.strings.substr(t, -3, 2); tf.strings.substr("éa", 1, 1, unit="UTF8_CHAR"); tf.strings.substr(t, 1, 100)
tf.strings.regex_replace(t, "<br />", " "); tf.strings.regex_replace(t, "[aeiou]", "-", replace_global=False)
tf.strings.regex_replace("key=value", r"(\w+)=(\w+)", r"\2=\1 (\0)"); tf.strings.regex_replace(t, "[!,.]", "")
tf.strings.regex_full_match(t, "Hello.*"); tf.strings.join(["a", "b"]); tf.strings.join([t, t], separator="-")
tf.strings.join([t, "!"]); tf.strings.reduce_join(t); tf.strings.reduce_join(m, axis=1, separator=" ")
tf.strings.reduce_join(m, axis=0); tf.strings.reduce_join(m, axis=-1, keepdims=True); tf.strings.split("a b  c")
tf.strings.split("a,b,,c", sep=","); tf.strings.split("a b c", maxsplit=1); tf.strings.unicode_split("héy", "UTF-8")
tf.strings.bytes_split("hey"); tf.strings.to_number(["1.5", "-2"]); tf.strings.to_number("12", out_type=tf.int32)
tf.strings.as_string([1.5, -2.0]); tf.strings.as_string([1, 2]); tf.strings.as_string([True, False])
tf.strings.as_string([3.14159], precision=2); tf.strings.as_string([1234.5], scientific=True); tf.constant("a")
tf.constant(["a", "b"], shape=(2, 1)); tf.convert_to_tensor(t); tf.identity(t); tf.reshape(m, [4])
tf.reshape(t, (2, 1))
tf.expand_dims(t, -1); tf.expand_dims(t, axis=0); tf.squeeze([["a"], ["b"]], axis=1); tf.squeeze([["a"]])
tf.concat([t, ["c"]], axis=0); tf.concat([m, m], 1); tf.stack([t, t]); tf.stack([t, t], axis=1); tf.gather(t, [1, 0, 1])
tf.gather(m, [1], axis=1); tf.equal(t, "a, b."); tf.not_equal(m, m)
"""


def results(tf):
    """Yield each call with its result as nested lists: bytes as text."""
    names = {
        "tf": tf,
        "t": tf.constant(["Hello <br /> World!", "a, b."]),
        "m": tf.constant([["a", "b"], ["c", "é"]]),
    }
    for call in filter(None, map(str.strip, CALLS.replace("\n", ";").split(";"))):
        value = eval(call, names).numpy()
        kind = np.asarray(value).dtype.kind
        if isinstance(value, bytes) or kind == "O":
            value = np.vectorize(bytes.decode, otypes=[object])(np.asarray(value, object))
        yield {"call": call, "shape": list(np.shape(value)), "value": np.asarray(value).tolist()}


if __name__ == "__main__":
    import tensorflow

    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(list(results(tensorflow)), file, ensure_ascii=False, indent=0)
        file.write("\n")
