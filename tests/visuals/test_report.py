import base64
import re

import numpy as np
import pytest

import cornu
from browser import open_browser
from cornu import layers
from cornu.visuals import svg, tiles


def model_of(inputs, outputs, activation=None, loss="mse", metrics=None, name="small"):
    model = cornu.Sequential(
        [layers.Input(inputs), layers.Flatten(), layers.Dense(outputs, activation=activation)], name=name
    )
    model.compile("sgd", loss, metrics=metrics)
    return model


def written(model, tmp_path, *data, **options):
    path = tmp_path / "report.html"
    model.report(path, *data, **options)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def classifier():
    """Return a classifier of 8x8 images, its data and its training."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 90)
    x = rng.normal(0, 1, (90, 8, 8)) + y[:, None, None]
    model = model_of((8, 8), 3, "softmax", "sparse_categorical_crossentropy", ["accuracy"])
    model.fit(x, y, epochs=2, verbose=0, validation_split=0.2)
    return model, x, y


def test_a_classifiers_report_has_every_part(classifier, tmp_path):
    model, x, y = classifier
    page = written(model, tmp_path, x, y, class_names=["cat", "dog", "<owl>"])
    for part in ("Training", "Confusion matrix", "Precision and recall", "Calibration", "most confident mistakes",
                 "Architecture", "Weights of the first layer", "Settings", "jax", "Layers as a table"):  # fmt: skip
        assert part in page, part
    assert "&lt;owl&gt;" in page
    assert "<owl>" not in page
    assert page.count("data:image/png;base64,") >= 3
    right = (model.predict(x, verbose=0).argmax(1) == y).mean()
    assert f"{right:.2%} of 90 are right" in page
    counted = [int(n) for n in re.findall(r"predicted [^:<]+: (\d+) \(", page)]
    assert len(counted) == 9
    assert sum(counted) == 90


def test_the_page_loads_nothing_from_anywhere(classifier, tmp_path):
    page = written(classifier[0], tmp_path, *classifier[1:])
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", page)
    assert "<script" not in page
    assert set(re.findall(r"https?://[^\"' <]+", page)) <= {"http://www.w3.org/2000/svg"}


def test_one_hot_and_sparse_targets_say_the_same(classifier, tmp_path):
    model, x, y = classifier
    sparse = written(model, tmp_path, x, y)
    model.compile("sgd", "categorical_crossentropy")
    hot = written(model, tmp_path, x, np.eye(3)[y])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert re.findall(r"<title>(true .*?)</title>", sparse) == re.findall(r"<title>(true .*?)</title>", hot)


@pytest.mark.parametrize(
    ("outputs", "activation", "loss", "target", "part"),
    [
        (1, "sigmoid", "binary_crossentropy", lambda rng: rng.integers(0, 2, 40), "Confusion matrix"),
        (1, None, "mse", lambda rng: rng.normal(size=40), "Residuals"),
        (2, None, "mae", lambda rng: rng.normal(size=(40, 2)), "Predicted against true of 1"),
        (6, None, "mae", lambda rng: rng.normal(size=(40, 6)), "All 6 numbers together"),
        (3, "sigmoid", "binary_crossentropy", lambda rng: rng.integers(0, 2, (40, 3)), "recall by label"),
        (40, "softmax", "sparse_categorical_crossentropy", lambda rng: rng.integers(0, 40, 40), "Most often mixed up"),
    ],
)
def test_models_of_every_kind_have_a_report(outputs, activation, loss, target, part, tmp_path):
    rng = np.random.default_rng(0)
    page = written(model_of((5,), outputs, activation, loss), tmp_path, rng.normal(size=(40, 5)), target(rng))
    assert part in page


def test_a_perfect_model_has_no_mistakes_to_show(tmp_path):
    model = model_of((2,), 2, "softmax", "sparse_categorical_crossentropy")
    model.set_weights([np.eye(2) * 50, np.zeros(2)])
    page = written(model, tmp_path, np.eye(2), np.array([0, 1]))
    assert "there is no mistake" in page
    assert "most confident mistakes" not in page


def test_several_outputs_have_a_section_each(tmp_path):
    x = layers.Input((4,), name="x")
    model = cornu.Model(x, [layers.Dense(3, activation="softmax", name="kind")(x), layers.Dense(1, name="price")(x)])
    model.compile("sgd", ["sparse_categorical_crossentropy", "mse"])
    rng = np.random.default_rng(0)
    page = written(model, tmp_path, rng.normal(size=(20, 4)), [rng.integers(0, 3, 20), rng.normal(size=20)])
    assert "Output kind" in page
    assert "Output price" in page


def test_streams_subclassed_and_uncompiled_models(tmp_path):
    class Own(cornu.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, activation="softmax")

        def call(self, inputs):
            return self.dense(inputs)

    batches = [(np.ones((4, 3), "float32"), np.array([0, 1, 0, 1]))] * 3
    page = written(Own(), tmp_path, iter(batches))
    assert "of 12 are right" in page
    with pytest.raises(ValueError, match="whose batches contain the targets"):
        Own().report(tmp_path / "r.html", iter(batches), np.zeros(4))


def test_without_data_there_are_curves_and_the_drawing(classifier, tmp_path):
    page = written(classifier[0], tmp_path)
    assert "This report has no test of the model" in page
    assert 'class="curve held-out"' in page
    assert "Confusion" not in page
    page = written(model_of((3,), 1), tmp_path, history={"loss": [2.0, float("nan"), 1.0]})
    assert 'class="curve train"' in page


def test_mistakes_of_the_caller_are_said(classifier, tmp_path):
    model, x, y = classifier
    for data, options, words in (
        ((None, y), {}, "y without x"),
        ((x, y[:5]), {}, "rows"),
        ((x, y), {"class_names": ["a"]}, "class_names has 1 names"),
    ):
        with pytest.raises(ValueError, match=words):
            model.report(tmp_path / "no.html", *data, **options)
    assert not (tmp_path / "no.html").exists()


#: No setting, as `sparse_categorical_crossentropy`, is cut off at the edge of its table.
ALL_SEEN = """[...document.querySelectorAll('.settings td')].every(
    cell => cell.getBoundingClientRect().right <= cell.closest('figure').getBoundingClientRect().right + 1)"""


def test_the_matrix_is_seen_in_a_browser(classifier, tmp_path):
    written(classifier[0], tmp_path, *classifier[1:])
    with open_browser() as page:
        for width, dark in ((1200, False), (390, True)):
            page.screen(width, 900, dark=dark)
            page.open((tmp_path / "report.html").as_uri())
            assert page.ask("document.querySelectorAll('figure.matrix rect.cell').length") == 9
            assert page.ask("document.querySelector('figure.matrix svg').getBoundingClientRect().width") > 150
            assert page.ask("document.documentElement.scrollWidth <= innerWidth")
            assert page.ask(ALL_SEEN)
            ticks = page.ask("[...document.querySelectorAll('.charts svg .tick')].map(t => t.getBoundingClientRect())"
                             ".every(box => box.height > 9 && box.left >= 0 && box.right <= innerWidth)")  # fmt: skip
            assert ticks
            paper = page.ask("getComputedStyle(document.body).backgroundColor")
            assert (int(re.findall(r"\d+", paper)[0]) < 100) == dark
        assert not page.problems
        assert all(address.startswith(("file:", "data:")) for address in page.asked)


def test_mistakes_on_inputs_that_are_no_pictures_are_a_table(tmp_path):
    rng = np.random.default_rng(0)
    model = model_of((13,), 1, "sigmoid", "binary_crossentropy")
    x, y = rng.normal(size=(60, 13)), rng.integers(0, 2, 60)
    page = written(model, tmp_path, x, y, class_names=["healthy", "ill"])
    rows = re.findall(r"<tr><td>(\d+)</td><td>(\w+)</td><td><b>(\w+)</b></td><td>([\d.]+)%</td>", page)
    assert len(rows) == 12
    sure = model.predict(x, verbose=0)[:, 0]
    for row, true, predicted, share in rows:
        assert true == ["healthy", "ill"][y[int(row)]] != predicted
        assert float(share) == pytest.approx(max(sure[int(row)], 1 - sure[int(row)]) * 100, abs=0.06)
    shares = [float(row[3]) for row in rows]
    assert shares == sorted(shares, reverse=True)
    with open_browser() as browser:
        browser.screen(390, 800, phone=True)
        browser.open((tmp_path / "report.html").as_uri())
        assert browser.ask("document.documentElement.scrollWidth") == 390  # tables scroll, the page does not


def test_a_fit_that_is_worse_than_a_mean_says_so(tmp_path):
    x = np.random.default_rng(0).normal(size=(30, 4))
    page = written(model_of((4,), 1), tmp_path, x, 100 + x[:, 0])
    assert "always predicting the mean of the true values would be better (R² = -" in page
    assert "% of the variance" not in page


def test_pictures_are_those_that_pillow_reads(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for pixels in (np.arange(24, dtype="uint8").reshape(4, 6), np.arange(60, dtype="uint8").reshape(4, 5, 3)):
        (tmp_path / "a.png").write_bytes(tiles.png(pixels))
        assert np.array_equal(np.asarray(image.open(tmp_path / "a.png")), pixels)
    tag = tiles.image_tag(np.zeros((2, 4), "uint8"), "words", 100)
    assert base64.b64decode(re.findall(r"base64,([^\"]+)", tag)[0]).startswith(b"\x89PNG")
    assert 'width="100" height="50"' in tag


@pytest.mark.parametrize(("shape", "weights", "count"), [((8, 8), (64, 5), 5), ((5,), (5, 7), 1)])
def test_first_weights_of_dense_layers(shape, weights, count):
    model = model_of(shape, weights[1])
    name, pictures = tiles.first_weights(model.layers, tiles.picture_shape(shape))
    assert name == model.layers[-1].name
    assert len(pictures) == count
    assert pictures[0].shape[-1] == 3


def test_first_weights_of_convolutions():
    for channels, count in ((1, 4), (3, 4), (2, 8)):
        model = cornu.Sequential([layers.Input((9, 9, channels)), layers.Conv2D(4, 3)])
        assert len(tiles.first_weights(model.layers, None)[1]) == count


def test_ticks_are_round_and_inside():
    for low, high in ((0, 1), (-3.2, 7.7), (1e-9, 2e-9), (0, 123456), (5, 5)):
        found = svg.ticks(low, high)
        assert 1 <= len(found) <= 12
        assert all(low - 1e-12 <= tick <= high + abs(high) * 1e-9 for tick in found)


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (-3.2, 7.7), (4486.4, 4486.6), (31_806_000, 31_811_000), (-2e5, 3e9), (2e-7, 9e-7), (5, 5)],
)
def test_what_stands_at_ticks_differs_and_fits(low, high):
    found = svg.at_ticks(svg.ticks(low, high))
    assert len(set(found)) == len(found)
    assert max(map(len, found)) <= 8


def test_zero_has_no_unit():
    assert svg.at_ticks([-50_000.0, 0.0, 50_000.0, 100_000.0]) == ["-50k", "0", "50k", "100k"]


def test_long_names_of_classes_stand_upright_over_their_columns():
    for names, upright in ((["a", "b"], 0), (["T-shirt/top", "Trouser"], 2)):
        drawn = svg.matrix(np.array([[3, 1], [0, 4]]), names, "words")
        assert len(re.findall(r'class="tick"[^>]*rotate', drawn)) == upright
        assert all(drawn.count(f">{name}</text>") == 2 for name in names)


def test_history_knows_how_long_epochs_took(classifier):
    seconds = classifier[0].history.seconds
    assert len(seconds) == 2
    assert all(one > 0 for one in seconds)
