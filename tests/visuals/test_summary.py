import io
import re

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.visuals.summary import format_bytes


def table(model, **options):
    """Return the cells of the table row by row (a cell that is broken into lines joined again), and the text."""
    texts = []
    model.summary(print_fn=texts.append, **options)
    (text,) = texts
    rows = []
    for line in text.splitlines():
        if line.startswith(("├", "┡")):
            rows.append(None)
        elif line.startswith("│"):
            cells = [cell.strip() for cell in line.strip("│").split("│")]
            if rows[-1] is None:
                rows[-1] = cells
            else:
                rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], cells, strict=True)]
    return rows, text


def mlp():
    sizes = layers.Dense(128, activation="sigmoid", input_shape=(784,)), layers.Dense(128), layers.Dense(10)
    return cornu.Sequential(sizes, name="mlp")


def test_counts_are_those_of_the_tutorial():
    rows, text = table(mlp())
    assert [row[1:] for row in rows] == [["(None, 128)", "100,480"], ["(None, 128)", "16,512"], ["(None, 10)", "1,290"]]
    assert re.fullmatch(r"dense(_\d+)? \(Dense\)", rows[0][0])
    assert text.splitlines()[0] == 'Model: "mlp"'
    assert "Total params: 118,282 (462.04 KB)" in text
    assert "Trainable params: 118,282 (462.04 KB)" in text
    assert "Non-trainable params: 0 (0.00 B)" in text


@pytest.mark.parametrize("first", ["plain", "normalized"])
def test_cells_equal_keras(real_keras, first):
    def model(keras):
        front = [keras.layers.BatchNormalization(name="n")] if first == "normalized" else []
        return keras.Sequential(
            [
                keras.layers.Input((8, 8, 3)),
                keras.layers.Conv2D(4, 3, name="c"),
                *front,
                keras.layers.Flatten(name="f"),
                keras.layers.Dense(5, name="d", trainable=False),
            ],
            name="same",
        )

    theirs = []
    model(real_keras).summary(print_fn=lambda text, **_: theirs.append(text))
    _, mine = table(model(cornu))

    def words(text):
        return re.findall(r"[\w(),.-]+", text)

    assert words(mine) == words("\n".join(theirs))


def test_frozen_weights_and_the_optimizers_are_counted_apart():
    model = mlp()
    model.layers[0].trainable = False
    model.compile("adam", "mse")
    model.fit(np.ones((4, 784)), np.ones((4, 10)), verbose=0)
    rows, text = table(model, show_trainable=True)
    assert [row[3] for row in rows] == ["N", "Y", "Y"]
    assert "Total params: 118,282" in text
    assert "Trainable params: 17,802" in text
    assert "Non-trainable params: 100,480" in text
    assert "Optimizer params: 35,606" in text


def test_connections_functions_and_nested_models():
    left, right = cornu.Input((4,), name="left"), cornu.Input((4,), name="right")
    inner = cornu.Sequential([layers.Input((4,)), layers.Dense(3, name="first"), layers.ReLU(name="re")], name="inner")
    both = layers.concatenate([inner(left), inner(right)], name="both")
    model = cornu.Model([left, right], layers.Dense(1, name="last")(both * 2.0))
    rows, _ = table(model, expand_nested=True, line_length=120)
    assert [(row[0], row[2], row[3]) for row in rows if not row[0].startswith("mul")] == [
        ("left (InputLayer)", "0", "-"),
        ("right (InputLayer)", "0", "-"),
        ("inner (Sequential)", "15", "left[0][0], right[0][0]"),
        ("└ first (Dense)", "15", rows[3][3]),
        ("└ re (ReLU)", "0", "first[0][0]"),
        ("both (Concatenate)", "0", "inner[0][0], inner[1][0]"),
        ("last (Dense)", "7", rows[6][0].split()[0] + "[0][0]"),
    ]
    assert rows[6][0].endswith("(function)")
    assert len(table(model)[0]) == 6


def test_layer_range_takes_names_and_patterns():
    names = ["in_1", "in_2", "out_1", "out_2"]
    stack = [layers.Dense(2, name=name) for name in names]
    model = cornu.Sequential([layers.Input((2,)), *stack])
    assert [row[0].split()[0] for row in table(model, layer_range=("in_2", "out_1"))[0]] == names[1:3]
    assert [row[0].split()[0] for row in table(model, layer_range=["in", "out"])[0]] == names
    with pytest.raises(ValueError, match=r"does not name two layers in order\. There are: in_1, in_2"):
        model.summary(layer_range=("middle", "out"))
    with pytest.raises(ValueError, match="must be a pair"):
        model.summary(layer_range=("in",))


def test_width_and_positions():
    for width in (60, 79, 120):
        _, text = table(mlp(), line_length=width)
        assert {len(line) for line in text.splitlines() if line.startswith("┃")} <= {width - 1, width, width + 1}
    _, text = table(mlp(), positions=[0.6, 0.8, 1.0])
    header = next(line for line in text.splitlines() if line.startswith("┃"))
    assert [len(part) for part in header.split("┃")][1] > 40
    with pytest.raises(ValueError, match="positions has 2 entries; the summary has 3 columns"):
        mlp().summary(positions=[0.5, 1.0])


def test_without_print_fn_it_is_printed(capsys):
    mlp().summary()
    assert capsys.readouterr().out.startswith('Model: "mlp"\n┏━━')


def test_an_encoding_without_lines_gets_plain_signs(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    mlp().summary()
    stream.flush()
    assert b"100,480" in stream.buffer.getvalue()


def test_long_names_are_broken_not_cut():
    name = "a_very_long_name_that_has_to_be_broken_somewhere_in_the_table"
    rows, _ = table(cornu.Sequential([layers.Dense(1, input_shape=(2,), name=name)]))
    assert rows[0][0].replace(" ", "") == f"{name}(Dense)"


def test_markup_in_names_is_only_text():
    rows, _ = table(cornu.Sequential([layers.Dense(1, input_shape=(2,), name="a[red]b[bold]")], name="[bold]"))
    assert rows[0][0] == "a[red]b[bold] (Dense)"


def test_layers_that_are_not_built():
    rows, text = table(cornu.Sequential([layers.Dense(3, name="one"), layers.Dropout(0.5, name="two")]))
    assert rows == [["one (Dense)", "?", "0 (unbuilt)"], ["two (Dropout)", "?", "0"]]
    assert "Total params: 0 (0.00 B)" in text


class Own(cornu.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3, name="dense")

    def call(self, inputs):
        return self.dense(inputs)


def test_subclassed_models_show_shapes_once_they_were_called():
    model = Own()
    assert table(model)[0] == [["dense (Dense)", "?", "0 (unbuilt)"]]
    model(np.ones((5, 4), "float32"))
    assert table(model)[0][0][2] == "15"
    built = Own()
    built.build((None, 4))
    assert table(built)[0] == [["dense (Dense)", "(None, 3)", "15"]]


def test_nothing_to_sum_up_is_an_error():
    class Empty(cornu.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match="is not built yet, so it has no summary"):
        Empty().summary()


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0.00 B"), (1023, "1023.00 B"), (1024, "1.00 KB"), (3 << 30, "3.00 GB")]
)
def test_bytes(count, text):
    assert format_bytes(count) == text


def test_a_notebook_shows_the_summary_as_a_table():
    model = cornu.Sequential([layers.Input((3,)), layers.Dense(2, name="a<b>")], name="shown")
    html = model._repr_html_()
    assert "<th" in html
    assert "Model: <b>shown</b>" in html
    assert "a&lt;b&gt; (Dense)" in html
    assert "Total params: 8" in html
    assert cornu.Sequential()._repr_html_() is None


def test_in_a_kernel_text_and_table_are_displayed(monkeypatch, capsys):
    display = pytest.importorskip("IPython.display")
    shown = []
    monkeypatch.setattr(display, "display", lambda bundle, raw: shown.append(bundle))

    class OutStream(io.StringIO):
        pass

    OutStream.__module__ = "ipykernel.iostream"
    monkeypatch.setattr("sys.stdout", OutStream())
    cornu.Sequential([layers.Input((3,)), layers.Dense(2)], name="shown").summary(show_trainable=True)
    assert "Total params: 8" in shown[0]["text/plain"]
    assert "Trainable" in shown[0]["text/html"]


def test_a_column_of_trainable_leaves_room_for_names():
    model = cornu.Sequential([layers.Input((3,)), layers.Dense(2, name="a_rather_long_name")])
    assert "a_rather_long_name (Dense)" in table(model, show_trainable=True)[1]


def branched(keras):
    first, second = keras.Input((8,), name="first"), keras.Input((8,), name="second")
    inner = keras.Sequential(
        [keras.layers.Input((8,)), keras.layers.Dense(5, name="d"), keras.layers.BatchNormalization(name="n")],
        name="inner",
    )
    both = keras.layers.Concatenate(name="concatenate")([inner(first), inner(second)])
    frozen = keras.layers.Dense(2, name="frozen", trainable=False)
    return keras.Model([first, second], [keras.layers.Dense(3, name="o")(both), frozen(both)], name="fun")


def straight(keras):
    sizes = keras.layers.Conv2D(32, 3, name="c"), keras.layers.Flatten(name="f"), keras.layers.Dense(10, name="d")
    return keras.Sequential([keras.layers.Input((28, 28, 1)), *sizes], name="seq")


@pytest.mark.parametrize("terminal", ["80", "200"])
@pytest.mark.parametrize(
    ("model", "options"),
    [
        (straight, {}),
        (straight, {"show_trainable": True, "line_length": 70}),
        (straight, {"positions": [0.5, 0.8, 1.0], "layer_range": ("c", "f")}),
        (straight, {"positions": [0.5, 0.8, 1.0], "show_trainable": True}),
        (branched, {"line_length": 76}),
        (branched, {"positions": [0.35, 0.55, 0.7, 1.0]}),
        (branched, {"layer_range": ["inner", "o"]}),
    ],
)
def test_the_text_is_that_of_keras(real_keras, monkeypatch, model, options, terminal):
    monkeypatch.setenv("COLUMNS", terminal)
    theirs, mine = [], []
    model(real_keras).summary(print_fn=lambda *args, **_: theirs.append(args), **options)
    model(cornu).summary(print_fn=lambda *args, **_: mine.append(args), **options)
    assert mine == [(theirs[0][0].rstrip("\n") + "\n",)]


def test_names_that_the_output_has_no_characters_for(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stdout", stream)
    cornu.Sequential([layers.Input((3,)), layers.Dense(2, name="слой")], name="модель").summary()
    stream.flush()
    assert b"\\u0441" in stream.buffer.getvalue()
