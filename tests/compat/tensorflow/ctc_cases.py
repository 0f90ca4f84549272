"""Beam searches of CTC: ``python ctc_cases.py FILE`` with TensorFlow 2 and Keras 3 writes what they find."""

import json
import sys

import numpy as np

#: Batch, steps, classes, beam width, paths.
SIZES = [(3, 8, 5, 10, 3), (2, 12, 4, 60, 4), (2, 7, 3, 100, 5), (1, 1, 4, 2, 2), (2, 10, 12, 30, 1), (4, 9, 3, 1, 1)]


def numbers(batch, steps, classes):
    """Return logits (batch, time, classes) and the lengths of sequences."""
    random = np.random.RandomState(batch + steps + classes)
    logits = (random.normal(size=(batch, steps, classes)) * 2).round(3).astype("float32")
    return logits, random.randint((steps + 1) // 2, steps + 1, size=batch).astype("int32")


def results(tf):
    """Return for each size what `tf.nn` and `keras.backend` find: labels and scores."""
    found = []
    for batch, steps, classes, width, paths in SIZES:
        logits, lengths = numbers(batch, steps, classes)
        labels, scores = tf.nn.ctc_beam_search_decoder(logits.transpose(1, 0, 2), lengths, width, paths)
        dense = [tf.sparse.to_dense(one, default_value=-1).numpy().tolist() for one in labels]
        merged, _ = tf.compat.v1.nn.ctc_beam_search_decoder(
            logits.transpose(1, 0, 2), lengths, width, paths, merge_repeated=True
        )
        merged = [tf.sparse.to_dense(one, default_value=-1).numpy().tolist() for one in merged]
        chances = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        backend, backend_scores = tf.keras.backend.ctc_decode(chances, lengths, False, width, paths)
        backend = [np.asarray(one).tolist() for one in backend]
        every = [scores, backend_scores]
        found.append([dense, merged, backend, *(np.asarray(one).round(5).astype(float).tolist() for one in every)])
    return found


if __name__ == "__main__":
    import tensorflow

    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(results(tensorflow), file)
        file.write("\n")
