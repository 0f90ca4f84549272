"""Images and words per second of Cornu's old preprocessing, compared with keras-preprocessing in turns.

Run ``python -m benchmarks.old_preprocessing PYTHON``, where PYTHON has keras-preprocessing 1.1.2 (Python 3.11, ``pip
install 'numpy<2' 'scipy<1.12' Pillow Keras-Preprocessing==1.1.2``); it prints a Markdown table. Both processes take
turns, and the median is shown; stop other work on the machine. Processor time shows what is independent of it.
"""

import argparse
import importlib
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

TASKS = ("images", "images and flips only", "fit_on_texts", "texts_to_sequences", "texts_to_matrix")
BATCHES, TEXTS = 16, 500


def main() -> None:
    """Print the table, or be one of the two processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="a Python with keras-preprocessing")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.python)
    else:
        compare(options.python, options.rounds)


def compare(python: str, rounds: int) -> None:
    """Let both processes do each task in turns, and print how many units per second they do."""
    script = str(Path(__file__).resolve())
    commands = {
        "Cornu": [sys.executable, script, "cornu.preprocessing", "--worker"],
        "keras-preprocessing": [python, "-W", "ignore", script, "keras_preprocessing", "--worker"],
    }
    workers = {
        name: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name, command in commands.items()
    }
    print("| task | Cornu, per second | keras-preprocessing | ratio | ratio by processor time |\n|---|---|---|---|---|")
    for task in TASKS:
        found: dict[str, list[list[float]]] = {name: [] for name in workers}
        for _ in range(rounds):
            for name, worker in workers.items():
                found[name].append(ask(worker, task))
        wall, cpu = ({n: statistics.median(one[i] for one in seen) for n, seen in found.items()} for i in (0, 1))
        ours, theirs = wall["Cornu"], wall["keras-preprocessing"]
        by_cpu = cpu["Cornu"] / cpu["keras-preprocessing"]
        print(f"| {task} | {ours:,.0f} | {theirs:,.0f} | {ours / theirs:.2f} | {by_cpu:.2f} |", flush=True)
    for worker in workers.values():
        worker.communicate("")


def ask(worker: Any, task: str) -> list[float]:
    """Return units per second of time, and of processor time."""
    worker.stdin.write(task + "\n")
    worker.stdin.flush()
    return json.loads(worker.stdout.readline())


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
    main()
