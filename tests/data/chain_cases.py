"""Chains of data sets: ``python chain_cases.py FILE`` with TensorFlow 2.

`chain_cases.json` is what it wrote with TensorFlow 2.21: the elements of each chain, as nested lists.
"""

import json
import sys

import numpy as np

CHAINS = """
D.range(7).shard(3, 1); D.range(7).shard(2, 0); D.range(6).take_while(lambda x: x < 3)
D.from_tensor_slices([1, 3, 1, 2, 3]).unique(); D.range(5).scan(np.int64(1), lambda s, x: (s + x, s * 10 + x))
D.range(3).flat_map(lambda x: D.range(x)); D.range(1, 4).interleave(lambda x: D.from_tensors(x).repeat(4), 2, 1)
D.range(1, 4).interleave(lambda x: D.from_tensors(x).repeat(5), cycle_length=2, block_length=2)
D.range(1, 6).interleave(lambda x: D.from_tensors(x).repeat(x), cycle_length=3, block_length=2)
D.range(0, 5).interleave(lambda x: D.from_tensors(x).repeat(x), cycle_length=2, block_length=1)
D.range(1, 3).interleave(lambda x: D.range(x * 10, x * 10 + 3), cycle_length=4, block_length=1)
D.range(7).window(3).flat_map(lambda w: w.batch(3)); D.range(7).window(3, shift=1).flat_map(lambda w: w.batch(3))
D.range(7).window(3, drop_remainder=True).flat_map(lambda w: w.batch(3))
D.range(9).window(3, shift=2, stride=2).flat_map(lambda w: w.batch(3))
D.range(9).window(2, shift=5, drop_remainder=True).flat_map(lambda w: w.batch(2))
D.range(8).window(2, shift=1, stride=3, drop_remainder=True).flat_map(lambda w: w.batch(2))
D.from_tensor_slices((A, B)).window(2).flat_map(lambda a, b: D.zip((a.batch(2), b.batch(2))))
D.from_tensor_slices({"a": A, "b": B}).window(2, 1, 1, True).flat_map(lambda w: w["a"].batch(2)); R().padded_batch(2)
R().padded_batch(3, [5]); R().padded_batch(2, [None], np.int64(-1), drop_remainder=True)
R().map(lambda x: (x, x[0])).padded_batch(2, ([None], []), (np.int64(7), np.int64(0)))
R().bucket_by_sequence_length(len, [3, 4], [2, 1, 2])
R().bucket_by_sequence_length(len, [3, 7], [2, 2, 2], pad_to_bucket_boundary=True)
R().bucket_by_sequence_length(len, [3], [2, 2], padding_values=np.int64(9), drop_remainder=True)
D.range(10).group_by_window(lambda x: x % 2, lambda key, data: data.batch(4), window_size=3)
D.range(10).group_by_window(lambda x: x % 3, lambda key, data: data.map(lambda x: x + key), window_size=2)
D.range(5).batch(2).rebatch(3); D.range(4).enumerate(5).map(lambda i, x: i * 10 + x); D.range(5).skip(-1)
D.range(3).take(-1)
D.choose_from_datasets([D.range(3), D.range(10, 13)], D.from_tensor_slices(np.array([0, 1, 1, 0, 1], "int64")))
"""
A, B = np.arange(5), np.arange(5) * 10


def rows():
    for length in (2, 5, 1, 3, 2):
        yield np.arange(length)


def plain(element):
    if isinstance(element, (tuple, list)):
        return [plain(one) for one in element]
    return (
        {key: plain(one) for key, one in element.items()} if isinstance(element, dict) else np.asarray(element).tolist()
    )


def results(dataset, signature, length=len):
    """Yield each chain with its elements."""
    names = {"D": dataset, "A": A, "B": B, "np": np, "len": length}
    names["R"] = lambda: dataset.from_generator(rows, output_signature=signature)
    for chain in filter(None, map(str.strip, CHAINS.replace("\n", ";").split(";"))):
        yield {"chain": chain, "elements": [plain(one) for one in eval(chain, names)]}


if __name__ == "__main__":
    import tensorflow as tf

    found = results(tf.data.Dataset, tf.TensorSpec((None,), tf.int64), lambda x: tf.shape(x)[0])
    lines = [json.dumps(one, separators=(",", ":")) for one in found]
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(lines) + "\n]\n")
