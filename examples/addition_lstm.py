"""Two LSTMs, an encoder and a decoder, learn to add numbers written as text: about 98% right after 30 epochs."""

import numpy as np

import cornu as keras
from cornu import layers

DIGITS = 3
TRAINING, TEST = 45_000, 5_000  # numbers of sums
LETTERS = " +0123456789"
QUESTION, ANSWER = 2 * DIGITS + 1, DIGITS + 1  # numbers of letters
SHOWN = 5


def as_numbers(texts, width):
    """Return texts as rows of letter numbers, with spaces at the end."""
    return np.array([[LETTERS.index(letter) for letter in text.ljust(width)] for text in texts], "int32")


def as_text(row):
    """Return a row of letter numbers as text."""
    return "".join(LETTERS[number] for number in row)


def load_data():
    """Return different questions like "12+345" as one-hot letters, and their answers as letter numbers.

    Questions are written backwards: the digits that are added first are then close together.
    """
    pairs = np.random.choice(10 ** (2 * DIGITS), TRAINING + TEST, replace=False)
    first, second = np.divmod(pairs, 10**DIGITS)
    questions = [f"{a}+{b}".ljust(QUESTION)[::-1] for a, b in zip(first, second, strict=True)]
    x = keras.utils.to_categorical(as_numbers(questions, QUESTION), len(LETTERS))
    y = as_numbers([str(total) for total in first + second], ANSWER)
    return (x[:TRAINING], y[:TRAINING]), (x[TRAINING:], y[TRAINING:])


def build_model():
    """Return the compiled model."""
    model = keras.Sequential(
        [
            keras.Input((QUESTION, len(LETTERS))),
            layers.LSTM(128),
            layers.RepeatVector(ANSWER),
            layers.LSTM(128, return_sequences=True),
            layers.Dense(len(LETTERS), activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.003),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


class ShowSums(keras.callbacks.Callback):
    """Prints some sums after each epoch, and how many of all are right."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def on_epoch_end(self, epoch, logs=None):
        """Print the model's answers."""
        answers = self.model.predict(self.x, verbose=0).argmax(axis=-1)
        right = (answers == self.y).all(axis=1)
        shown = np.random.choice(len(right), SHOWN)
        questions = [as_text(self.x[row].argmax(axis=-1))[::-1] for row in shown]
        for row, question in zip(shown, questions, strict=True):
            correct = "" if right[row] else f" (it is {as_text(self.y[row]).rstrip()})"
            print(f"  {question} = {as_text(answers[row])}{correct}")
        print(f"  {right.mean():.1%} of {len(right):,} sums are right")


def main(epochs=30, batch_size=128, seed=None, out="addition-lstm.keras", report=None, callbacks=()):
    """Train, evaluate on other sums, and save; write a report if `report` names a file."""
    if seed is not None:
        keras.utils.set_random_seed(seed)
    (x_train, y_train), (x_test, y_test) = load_data()
    model = build_model()
    model.summary()
    model.fit(
        x_train,
        y_train,
        batch_size=batch_size,
        epochs=epochs,
        validation_data=(x_test, y_test),
        callbacks=[ShowSums(x_test, y_test), keras.callbacks.ReduceLROnPlateau(patience=2, factor=0.3), *callbacks],
    )
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    sums = (model.predict(x_test, verbose=0).argmax(axis=-1) == y_test).all(axis=1).mean()
    print(f"test loss {loss:.4f}, {accuracy:.4f} of the letters and {sums:.4f} of the sums are right")
    model.save(out)
    if report:
        model.report(report, x_test, y_test, class_names=["space", *LETTERS[1:]])
    return {"loss": loss, "accuracy": accuracy, "sums": float(sums)}


if __name__ == "__main__":
    main()
