"""A small transformer learns to write, letter by letter, from Shakespeare's sonnets or a text of yours (--text)."""

from importlib import resources
from pathlib import Path

import numpy as np

import cornu as keras
from cornu import layers, ops

CONTEXT = 64  # letters that the model sees
WIDTH, HEADS, BLOCKS = 64, 4, 2
STEP, MOST_WINDOWS = 7, 30_000
LENGTH = 160  # letters written after each epoch
SHORTEST = 20 * CONTEXT


def read_text(path=None):
    """Return the text of a file, by default 50 sonnets. Raises ValueError if it is too short, OSError if unreadable."""
    packaged = resources.files("cornu") / "datasets" / "bundled" / "sonnets.txt"
    text = (packaged if path is None else Path(path)).read_text(encoding="utf-8")
    if len(text) < SHORTEST:
        raise ValueError(f"{path} has {len(text):,} letters; at least {SHORTEST:,} are needed to learn from.")
    return text


def windows(numbers):
    """Return windows of letter numbers as inputs, and the letter after each of their letters as targets."""
    step = max(STEP, len(numbers) // MOST_WINDOWS)
    starts = np.arange(0, len(numbers) - CONTEXT, step)
    rows = numbers[starts[:, None] + np.arange(CONTEXT + 1)]
    return rows[:, :-1], rows[:, 1:]


def load_data(text=None):
    """Return windows of a file's text to learn from, and those of its last tenth to test on."""
    text = read_text(text)
    letters = sorted(set(text))
    numbers = np.array([letters.index(letter) for letter in text], "int32")
    end = len(numbers) * 9 // 10
    return windows(numbers[:end]), windows(numbers[end:])


def block(x):
    """Return a block's outputs: each letter looks at those before it, then at itself."""
    seen = layers.LayerNormalization()(x)
    seen = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, dropout=0.1)(seen, seen, use_causal_mask=True)
    x = x + layers.Dropout(0.1)(seen)
    thought = layers.Dense(4 * WIDTH, activation="gelu")(layers.LayerNormalization()(x))
    return x + layers.Dropout(0.1)(layers.Dense(WIDTH)(thought))


def build_model(text=None):
    """Return the compiled model for the letters of a file's text."""
    letters = len(set(read_text(text)))
    numbers = keras.Input((CONTEXT,), dtype="int32")
    places = ops.cumsum(ops.ones_like(numbers), axis=1) - 1
    x = layers.Embedding(letters, WIDTH)(numbers) + layers.Embedding(CONTEXT, WIDTH)(places)
    x = layers.Dropout(0.1)(x)
    for _ in range(BLOCKS):
        x = block(x)
    model = keras.Model(numbers, layers.Dense(letters)(layers.LayerNormalization()(x)))
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate=0.002, weight_decay=0.05),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def write(model, text, start, length=LENGTH, temperature=0.7):
    """Return `start`, continued by the model; a higher temperature makes it more daring."""
    letters = sorted(set(text))
    written = [letters.index(letter) for letter in start if letter in letters] or [0]
    for _ in range(length):
        last = written[-CONTEXT:]
        row = np.array([last + [0] * (CONTEXT - len(last))], "int32")  # no letter sees those after it
        scores = model.predict(row, verbose=0)[0, len(last) - 1].astype("float64") / temperature
        chances = np.exp(scores - scores.max())
        written.append(np.random.choice(len(letters), p=chances / chances.sum()))
    return "".join(letters[number] for number in written)


class ShowText(keras.callbacks.Callback):
    """Prints what the model writes after each epoch, and more at the end, beginning with a line of the text."""

    def __init__(self, text):
        super().__init__()
        self.text = text

    def on_epoch_end(self, epoch, logs=None):
        """Print a few lines."""
        self.show(LENGTH)

    def on_train_end(self, logs=None):
        """Print more of them."""
        self.show(4 * LENGTH)

    def show(self, length):
        """Print a line of the text and what the model writes after it."""
        start = np.random.choice([line for line in self.text.splitlines() if line.strip()])
        written = write(self.model, self.text, start.lstrip() + "\n", length)
        print("\n".join(["", *(f"    {line}" for line in written.splitlines()), ""]))


def main(epochs=20, batch_size=32, seed=None, out="tiny-transformer.keras", report=None, callbacks=(), text=None):
    """Train, evaluate on the text's last tenth, and save; write a report if `report` names a file."""
    if seed is not None:
        keras.utils.set_random_seed(seed)
    (x_train, y_train), (x_test, y_test) = load_data(text)
    model = build_model(text)
    model.summary()
    model.fit(
        x_train,
        y_train,
        batch_size=batch_size,
        epochs=epochs,
        validation_data=(x_test, y_test),
        callbacks=[ShowText(read_text(text)), *callbacks],
    )
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"test loss {loss:.4f}, {accuracy:.4f} of the letters are right")
    model.save(out)
    if report:
        model.report(
            report, x_test, y_test, class_names=[repr(letter)[1:-1] for letter in sorted(set(read_text(text)))]
        )
    return {"loss": loss, "accuracy": accuracy}


if __name__ == "__main__":
    main()
