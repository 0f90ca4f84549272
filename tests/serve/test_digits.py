import numpy as np
import pytest

import cornu as keras
from cornu import layers
from cornu.serve.digits import DigitReader
from cornu.serve.limits import RequestError
from cornu.serve.served_model import ServedModel


@pytest.fixture(scope="module")
def reader(digits_model):
    return DigitReader.of(ServedModel("digits", digits_model))


def sheet(*digits, size=140):
    """Return a white picture with strokes of sevens and ones, black, side by side."""
    width = size * len(digits)
    pixels = np.full((size, width), 255, "uint8")
    for number, digit in enumerate(digits):
        left = number * size
        if digit == 7:
            pixels[30:42, left + 40 : left + 100] = 0
        for row in range(30, 115):
            middle = left + (92 - (row - 30) // 2 if digit == 7 else 70)
            pixels[row, middle - 6 : middle + 6] = 0
    return pixels


def read(reader, pixels, separate=False):
    height, width = pixels.shape
    return reader.read(pixels.tobytes(), width, height, separate)["digits"]


def test_a_drawn_seven_is_seen_centred_and_explained(reader):
    [found] = read(reader, sheet(7))
    assert found["digit"] == 7
    assert found["probabilities"][7] == max(found["probabilities"])
    assert sum(found["probabilities"]) == pytest.approx(1, abs=1e-4)
    image = np.reshape(found["image"], (28, 28))
    assert (image.min(), image.max()) == (0, 255)
    mass = image / image.sum()
    assert (mass.sum(1) @ np.arange(28), mass.sum(0) @ np.arange(28)) == pytest.approx((14, 14), abs=0.7)
    saliency = np.array(found["saliency"])
    assert np.abs(saliency).max() == 127
    assert saliency.min() < 0 < saliency.max()


def test_the_saliency_is_the_slope_of_the_odds(reader, digits_model):
    """More ink where it speaks for the answer raises its odds against the next; elsewhere it lowers them."""
    [found] = read(reader, sheet(7))
    image, saliency = (np.reshape(found[key], (28, 28)).astype("float32") for key in ("image", "saliency"))
    both = image / 255 + np.stack([np.zeros_like(saliency), saliency, -saliency]) / 1270
    logs = np.log(digits_model.predict(both.astype("float32"), verbose=0))
    odds = logs[:, found["digit"]] - logs[:, found["rather_than"]]
    assert odds[2] < odds[0] < odds[1]


def test_several_digits_in_a_picture_have_places(reader):
    found = read(reader, sheet(7, 1, 7), separate=True)
    assert [one["digit"] for one in found] == [7, 1, 7]
    lefts = [one["box"][0] for one in found]
    assert lefts == pytest.approx([40, 204, 320], abs=10)
    assert len(read(reader, sheet(7, 1), separate=False)) == 1


def test_ink_at_the_edge_counts_and_an_empty_sheet_has_none(reader):
    pixels = np.full((140, 140), 255, "uint8")
    assert read(reader, pixels) == []
    pixels[:, 0:12] = 0
    [found] = read(reader, pixels)
    assert found["box"] == [0, 0, 12, 140]


def test_a_picture_has_the_bytes_that_it_says(reader):
    for body, width, height in ((b"", 1, 1), (b"1234", 2, 3), (b"", 0, 0), (b"", 9999, 9999)):
        with pytest.raises(RequestError) as caught:
            reader.read(body, width, height, False)
        assert caught.value.status == 422


@pytest.mark.parametrize(
    ("form", "scale", "offset", "shape"),
    [("0 to 1", 1, 0, (784,)), ("0 to 255", 255, 0, (28, 28, 1)), ("-1 to 1", 2, -1, (28, 28)),
     ("black on white", -1, 1, (28, 28))],
)  # fmt: skip
def test_how_a_model_wants_its_pixels_is_found_out(digits_model, form, scale, offset, shape):
    """The same network, given its pixels in another form: what it does to them is undone first."""
    prepared = keras.Sequential(
        [keras.Input(shape), layers.Rescaling(1 / scale, -offset / scale), layers.Reshape((28, 28)), digits_model]
    )
    found = DigitReader.of(ServedModel("m", prepared))
    assert found.form == form
    assert found.accuracy > 0.85


def test_logits_are_read_as_well(digits_model):
    inner = digits_model.layers
    dense = layers.Dense(10)
    logits = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), inner[1], dense])
    dense.set_weights(inner[2].get_weights())
    [found] = read(DigitReader.of(ServedModel("m", logits)), sheet(7))
    assert found["digit"] == 7
    assert sum(found["probabilities"]) == pytest.approx(1, abs=1e-4)


def test_models_of_something_else_have_no_reader(two_model):
    assert DigitReader.of(ServedModel("two", two_model)) is None
    untrained = keras.Sequential(
        [keras.Input((28, 28)), layers.Flatten(), layers.Dense(10, kernel_initializer="zeros")]
    )
    assert DigitReader.of(ServedModel("m", untrained)) is None


def test_a_drawing_over_http(client):
    answer = client.post("/draw/digits?width=140&height=140", content=sheet(7).tobytes())
    assert answer.json()["digits"][0]["digit"] == 7
    for query in ("", "?width=140", "?width=x&height=140", "?width=-1&height=1", "?width=1&height=99999999999"):
        answer = client.post(f"/draw/digits{query}", content=b"")
        assert answer.status_code == 422
        assert "pixels" in answer.json()["error"]
