"""How fast TextVectorization learns 100 MB of text and maps texts to numbers: ``python text_layers.py MODULE``.

MODULE speaks Keras. Prints a line of JSON: seconds to adapt, and texts per second of calls in two modes, for batches of
32 and 1,024 texts.
"""

import importlib
import json
import sys
import time

import numpy as np

TEXTS, WORDS, VOCABULARY = 100_000, 180, 50_000  # about 1 kB each
KEPT = 20_000


def texts():
    """Return 100 MB of texts whose words are as frequent as those of a language, some with punctuation."""
    random = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(random.choice(letters, size)) for size in random.integers(2, 9, VOCABULARY)]
    words = [word.capitalize() if i % 7 == 0 else f"{word}," if i % 11 == 0 else word for i, word in enumerate(words)]
    chances = 1 / np.arange(1, VOCABULARY + 1)
    chosen = random.choice(VOCABULARY, (TEXTS, WORDS), p=chances / chances.sum())
    return [" ".join(map(words.__getitem__, row)) for row in chosen.tolist()]


def seconds(run, times=5):
    """Return the shortest time of several."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def main(name):
    layers = importlib.import_module(name).layers
    data = texts()
    found = {"megabytes": round(sum(map(len, data)) / 1e6, 1)}
    layer = layers.TextVectorization(max_tokens=KEPT, output_sequence_length=200)
    before = time.process_time()
    found["adapt, seconds"] = seconds(lambda: layer.adapt(data), 3)
    found["adapt, seconds of the processor"] = (time.process_time() - before) / 3
    counted = layers.TextVectorization(max_tokens=KEPT, output_mode="multi_hot")
    counted.adapt(data[:20_000])
    for mode, made in (("int", layer), ("multi_hot", counted)):
        for size in (32, 1024):
            batch = np.array(data[:size], object)
            np.asarray(made(batch))
            runs = max(1, 4096 // size)
            took = seconds(lambda made=made, batch=batch, runs=runs: [np.asarray(made(batch)) for _ in range(runs)])
            found[f"{mode}, batches of {size}, texts per second"] = round(size * runs / took)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "cornu")
