import struct

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.callbacks import TensorBoard
from cornu.callbacks.event_file import EventFile, crc32c, histogram, scalar


def checked_sum(data):
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def records(data):
    """Split a file into its records, checking lengths and checksums."""
    while data:
        length = struct.unpack("<Q", data[:8])[0]
        assert data[8:12] == checked_sum(data[:8])
        body, end = data[12 : 12 + length], 16 + length
        assert data[12 + length : end] == checked_sum(body)
        yield body
        data = data[end:]


def fields(message):
    """Decode a protocol-buffer message into pairs of field number and raw value."""
    position = 0

    def varint():
        nonlocal position
        number = shift = 0
        while True:
            byte = message[position]
            position += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while position < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
            continue
        size = varint() if kind == 2 else {1: 8, 5: 4}[kind]
        yield key >> 3, message[position : position + size]
        position += size


def scalars(folder):
    """Return the numbers in a folder's only event file: {tag: [(step, value), ...]}."""
    (path,) = folder.iterdir()
    first, *events = (dict(fields(body)) for body in records(path.read_bytes()))
    assert first[3] == b"brain.Event:2"
    found = {}
    for event in events:
        for _, value in fields(event[5]):
            parts = dict(fields(value))
            if 2 in parts:
                found.setdefault(parts[1].decode(), []).append((event[2], struct.unpack("<f", parts[2])[0]))
            else:
                found.setdefault(parts[1].decode(), []).append((event[2], dict(fields(parts[5]))))
    return found


def trained(callback, **options):
    model = cornu.Sequential([layers.Input((2,)), layers.Dense(1, name="d")])
    model.compile(cornu.optimizers.SGD(0.25), "mse", metrics=["mae"])
    x = np.random.rand(40, 2).astype("float32")
    run = {"batch_size": 10, "epochs": 2, "verbose": 0, **options}
    return model, model.fit(x, x[:, :1], callbacks=[callback], **run).history


def test_curves_of_training_and_validation(tmp_path):
    _, history = trained(TensorBoard(tmp_path), validation_split=0.5)
    train, validation = scalars(tmp_path / "train"), scalars(tmp_path / "validation")
    assert set(train) == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}
    assert set(validation) == {"epoch_loss", "epoch_mae"}
    np.testing.assert_allclose(train["epoch_loss"], list(enumerate(history["loss"])), rtol=1e-6)
    np.testing.assert_allclose(validation["epoch_mae"], list(enumerate(history["val_mae"])), rtol=1e-6)
    assert train["epoch_learning_rate"] == [(0, 0.25), (1, 0.25)]


@pytest.mark.parametrize(("frequency", "steps"), [("batch", [1, 2, 3, 4, 5, 6, 7, 8]), (3, [3, 6])])
def test_batches_are_written_as_often_as_asked(tmp_path, frequency, steps):
    trained(TensorBoard(tmp_path, update_freq=frequency))
    assert [step for step, _ in scalars(tmp_path / "train")["batch_loss"]] == steps


def test_distributions_of_weights(tmp_path):
    model, _ = trained(TensorBoard(tmp_path, histogram_freq=2, write_steps_per_second=True), epochs=3)
    found = scalars(tmp_path / "train")
    assert [step for step, _ in found["d/kernel/histogram"]] == [0, 2]
    last = found["d/kernel/histogram"][-1][1]
    kernel = model.get_weights()[0]
    numbers = [struct.unpack("<d", last[i])[0] for i in range(1, 6)]
    np.testing.assert_allclose(numbers, [kernel.min(), kernel.max(), 2, kernel.sum(), (kernel**2).sum()], rtol=1e-6)
    assert np.frombuffer(last[7]).sum() == 2
    assert all(value > 0 for _, value in found["epoch_steps_per_second"])


def test_an_evaluation_of_its_own(tmp_path):
    callback = TensorBoard(tmp_path)
    model, _ = trained(callback)
    x = np.ones((4, 2), "float32")
    loss = model.evaluate(x, x[:, :1], verbose=0, callbacks=[callback])[0]
    assert scalars(tmp_path / "validation")["evaluation_loss_vs_iterations"] == [(8, pytest.approx(loss))]


def test_what_is_not_written_warns():
    with pytest.warns(UserWarning, match="write_images, embeddings_freq has no effect"):
        TensorBoard(write_images=True, embeddings_freq=1)
    with pytest.raises(ValueError, match="update_freq is 'epoch', 'batch' or a number"):
        TensorBoard(update_freq="epochs")


@pytest.mark.old_spellings
def test_old_keywords_that_steer_nothing_are_accepted():
    assert TensorBoard("there", batch_size=32, write_grads=True).log_dir.name == "there"


def test_values_that_are_not_finite(tmp_path):
    file = EventFile(tmp_path)
    file.write(0, [histogram("h", [np.nan, np.inf]), scalar("s", np.nan)])
    assert np.isnan(scalars(tmp_path)["s"][0][1])
