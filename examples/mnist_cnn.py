"""MNIST with a convolutional network and Adadelta: about 99.1% after 12 epochs."""

import cornu as keras
from cornu import layers


def load_data():
    """Return MNIST with float32 pixels from 0 to 1 and one-hot labels."""
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    x_train, x_test = (x.reshape(-1, 28, 28, 1).astype("float32") / 255 for x in (x_train, x_test))
    y_train, y_test = (keras.utils.to_categorical(y, 10) for y in (y_train, y_test))
    return (x_train, y_train), (x_test, y_test)


def build_model():
    """Return the compiled model."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adadelta(learning_rate=1.0), loss="categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def main(epochs=12, batch_size=128, seed=None, out="mnist-cnn.keras", report=None, callbacks=()):
    """Train, evaluate on the test images, and save; write a report if `report` names a file."""
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
        callbacks=list(callbacks),
    )
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")
    model.save(out)
    if report:
        model.report(report, x_test, y_test)
    return {"loss": loss, "accuracy": accuracy}


if __name__ == "__main__":
    main()
