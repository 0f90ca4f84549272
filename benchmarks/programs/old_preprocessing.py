"""Do tasks of old preprocessing that are named on standard input: `program PACKAGE`, Cornu's or keras-preprocessing."""

import importlib
import json
import random
import sys
import time
from typing import Any

import numpy as np

BATCHES, TEXTS = 16, 500


def work(package: str) -> None:
    """Do tasks that are named on standard input."""
    image, text = (importlib.import_module(f"{package}.{name}") for name in ("image", "text"))
    tasks = image_tasks(image) | text_tasks(text)
    for task in map(str.strip, sys.stdin):
        do, units = tasks[task]
        if units is not None:
            began, used = time.perf_counter(), time.process_time()
            do()
            print(json.dumps([units / (time.perf_counter() - began), units / (time.process_time() - used)]), flush=True)


def image_tasks(image: Any) -> dict[str, Any]:
    """Return tasks that make batches of 32 images of 64x64, and how many images each makes."""
    x = np.random.RandomState(0).randint(0, 256, (512, 64, 64, 3)).astype("float32")
    moves = {"rotation_range": 20, "width_shift_range": 0.1, "height_shift_range": 0.1, "zoom_range": 0.2}
    tasks = {}
    for name, arguments in (("images", moves), ("images and flips only", {})):
        generator = image.ImageDataGenerator(horizontal_flip=True, rescale=1 / 255, **arguments)
        batches = generator.flow(x, np.arange(512), batch_size=32, seed=1)
        tasks[name] = (lambda batches=batches: [next(batches) for _ in range(BATCHES)], BATCHES * 32)
    return tasks


def text_tasks(text: Any) -> dict[str, Any]:
    """Return tasks that count and number the words of texts, and how many words each reads."""
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdefghijklmnop", k=chance.randint(2, 9))) for _ in range(20_000)]
    often = [1 / (rank + 1) for rank in range(len(words))]
    texts = [", ".join(chance.choices(words, often, k=100)).capitalize() for _ in range(TEXTS)]
    fitted = text.Tokenizer(num_words=5000)
    fitted.fit_on_texts(texts)
    count = 100 * TEXTS
    return {
        "fit_on_texts": (lambda: text.Tokenizer(num_words=5000).fit_on_texts(texts), count),
        "texts_to_sequences": (lambda: fitted.texts_to_sequences(texts), count),
        "texts_to_matrix": (lambda: fitted.texts_to_matrix(texts, "tfidf"), count),
    }


if __name__ == "__main__":
    work(sys.argv[1])
