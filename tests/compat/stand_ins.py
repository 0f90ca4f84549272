"""Small stand-ins for the files that Keras's examples download, where `get_file` and `imdb.load_data` look for them."""

import hashlib
import os
import random
from pathlib import Path

import numpy as np

NAMES = ("the sailor", "a miller", "the old king", "her sister", "a grey cat")
DEEDS = ("sings of", "looks for", "walks home with", "dreams of", "will not sell")
THINGS = ("the sea", "a red horse", "the winter moon", "his bread", "an open door")
GOOD, BAD = range(5, 20), range(20, 35)  # word numbers that reviews of one kind alone have
NEUTRAL = range(35, 120)


def offer(home: Path) -> None:
    """Write the stand-ins into a folder, which then is Keras's own."""
    from cornu.datasets import imdb

    folder = home / "datasets"
    folder.mkdir()
    (folder / "nietzsche.txt").write_text(plain_text(), encoding="utf-8")
    np.savez(folder / "imdb.npz", **reviews())
    os.environ["KERAS_HOME"] = str(home)
    imdb.DIGEST = hashlib.sha256((folder / "imdb.npz").read_bytes()).hexdigest()


def plain_text() -> str:
    """Return about 9,000 letters of sentences that follow a pattern, with capital letters and a few newlines."""
    chance = random.Random(5)
    sentences = [" ".join(map(chance.choice, (NAMES, DEEDS, THINGS))).capitalize() for _ in range(260)]
    return ".\n".join(". ".join(sentences[i : i + 3]) for i in range(0, len(sentences), 3)) + ".\n"


def reviews() -> dict[str, np.ndarray]:
    """Return reviews of 6 to 30 words; a positive one has good words among the neutral ones, a negative one bad."""
    chance = random.Random(11)
    found = {}
    for part, rows in (("train", 480), ("test", 160)):
        labels = [row % 2 for row in range(rows)]
        texts = np.empty(rows, object)
        texts[:] = [_review(chance, label) for label in labels]
        found.update({f"x_{part}": texts, f"y_{part}": np.array(labels)})
    return found


def _review(chance: random.Random, label: int) -> list[int]:
    words = [chance.choice(NEUTRAL) for _ in range(chance.randint(4, 26))]
    words += [chance.choice(GOOD if label else BAD) for _ in range(2 + len(words) // 5)]
    chance.shuffle(words)
    return words
