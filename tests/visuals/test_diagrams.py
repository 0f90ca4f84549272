import itertools
import re
import subprocess
import sys

import pydot
import pytest

import cornu
from cornu import layers
from cornu.core.names import forget_names
from cornu.utils import model_to_dot, plot_model
from cornu.visuals import diagrams


def mlp():
    return cornu.Sequential(
        [
            layers.Dense(512, activation="relu", input_shape=(784,)),
            layers.Dropout(0.2),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )


def branched():
    """Return a model with two inputs, a shared nested model, and a function in its graph."""
    left, right = cornu.Input((4,), name="left"), cornu.Input((4,), name="right")
    inner = cornu.Sequential(
        [layers.Input((4,)), layers.Dense(3, name="first"), layers.ReLU(name="re_lu")], name="inner"
    )
    both = layers.concatenate([inner(left), inner(right)], name="both")
    return cornu.Model([left, right], layers.Dense(1, name="last", trainable=False)(both * 2.0))


def boxes(graph):
    """Return the text in each box by its number, in this graph and the frames inside it."""
    found = {
        node.get_name(): re.sub(r"<[^<>]+>", " ", node.get("label")).strip("<> ")
        for node in graph.get_nodes()
        if node.get_name().startswith("box")
    }
    for frame in graph.get_subgraphs():
        found |= boxes(frame)
    return {number: " ".join(text.split()) for number, text in found.items()}


def arrows(graph):
    names = boxes(graph)
    edges = [edge for part in (graph, *graph.get_subgraphs()) for edge in part.get_edges()]
    return sorted((names[edge.get_source()], names[edge.get_destination()]) for edge in edges)


def test_the_second_tutorials_drawing_is_an_svg_of_five_layers():
    svg = model_to_dot(mlp()).create(prog="dot", format="svg").decode()
    assert svg.count('class="node"') == 5
    assert svg.count('class="edge"') == 4
    assert "InputLayer" not in svg


def test_boxes_name_layers_in_order():
    model = mlp()
    names = [layer.name for layer in model.layers]
    kinds = ["Dense", "Dropout", "Dense", "Dropout", "Dense"]
    shown = [f"{name} ({kind})" for name, kind in zip(names, kinds, strict=True)]
    graph = model_to_dot(model)
    assert isinstance(graph, pydot.Dot)
    assert list(boxes(graph).values()) == shown
    assert arrows(graph) == sorted(itertools.pairwise(shown))


def test_boxes_say_what_is_asked_for():
    model = mlp()
    model.layers[2].trainable = False
    asked = {"show_shapes": True, "show_dtype": True, "show_layer_activations": True, "show_trainable": True}
    texts = list(boxes(model_to_dot(model, show_layer_names=False, **asked)).values())
    shapes = "Input shape: (None, 784) Output shape: (None, 512) Output dtype: float32"
    assert texts[0] == f"Dense Activation: relu {shapes} Trainable: yes"
    assert texts[1] == "Dropout Input shape: (None, 512) Output shape: (None, 512) Output dtype: float32"
    assert texts[2].endswith("Trainable: no")


def test_functional_models_show_inputs_functions_and_shared_models():
    forget_names()  # other tests may have multiplied too
    assert arrows(model_to_dot(branched())) == [
        ("both (Concatenate)", "multiply (function)"),
        ("inner (Sequential)", "both (Concatenate)"),
        ("left (InputLayer)", "inner (Sequential)"),
        ("multiply (function)", "last (Dense)"),
        ("right (InputLayer)", "inner (Sequential)"),
    ]


def test_nested_models_are_drawn_inside_a_frame():
    graph = model_to_dot(branched(), expand_nested=True, show_layer_names=True)
    assert [frame.get("label") for frame in graph.get_subgraphs()] == ["inner"]
    inside = list(boxes(graph.get_subgraphs()[0]).values())
    assert [text.split()[0] for text in inside] == ["first", "re_lu"]
    assert ("left (InputLayer)", "first (Dense)") in arrows(graph)
    assert ("right (InputLayer)", "first (Dense)") in arrows(graph)
    assert (inside[1], "both (Concatenate)") in arrows(graph)


def test_a_model_with_several_outputs_is_left_by_the_right_boxes():
    x = cornu.Input((4,))
    two = cornu.Model(x, [layers.Dense(2, name="a")(x), layers.Dense(3, name="b")(x)], name="two")
    y = cornu.Input((4,), name="y")
    a, b = two(y)
    graph = model_to_dot(cornu.Model(y, [layers.ReLU(name="on_a")(a), layers.ELU(name="on_b")(b)]), expand_nested=True)
    assert ("a (Dense)", "on_a (ReLU)") in arrows(graph)
    assert ("b (Dense)", "on_b (ELU)") in arrows(graph)
    assert ("a (Dense)", "on_b (ELU)") not in arrows(graph)


def test_models_without_a_known_shape_are_drawn_too():
    unbuilt = cornu.Sequential([layers.Dense(3, name="one"), layers.Dense(2, name="two")])
    assert arrows(model_to_dot(unbuilt)) == [("one (Dense)", "two (Dense)")]
    assert "Output shape: ?" in boxes(model_to_dot(unbuilt, show_shapes=True))["box0"]

    class Own(cornu.Model):
        def call(self, inputs):
            return inputs

    assert list(boxes(model_to_dot(Own(name="own"))).values()) == ["own (Own)"]


def test_graph_attributes():
    graph = model_to_dot(mlp(), rankdir="LR", dpi=70, splines="curved")
    assert (graph.get_rankdir(), graph.get_dpi(), graph.get_splines()) == ("LR", 70, "curved")
    frame = model_to_dot(mlp(), subgraph=True)
    assert isinstance(frame, pydot.Cluster)
    assert len(boxes(frame)) == 5


@pytest.mark.parametrize(
    ("name", "start"),
    [("model.png", b"\x89PNG"), ("model.svg", b"<?xml"), ("model.pdf", b"%PDF"), ("model.dot", b"digraph")],
)
def test_the_extension_says_the_format(tmp_path, name, start):
    plot_model(mlp(), tmp_path / name, show_shapes=True, show_layer_names=True, dpi=40)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_a_name_without_extension_becomes_png(tmp_path):
    plot_model(mlp(), str(tmp_path / "picture"), dpi=40)
    assert (tmp_path / "picture.png").exists()


def test_names_are_safe_in_html():
    graph = model_to_dot(cornu.Sequential([layers.Dense(1, input_shape=(2,), name="a<b>&c")]))
    assert b"a&lt;b&gt;&amp;c" in graph.create(prog="dot", format="svg")


def test_missing_graphviz_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(diagrams.shutil, "which", lambda name: None)
    with pytest.raises(ImportError, match="apt install graphviz"):
        plot_model(mlp())


def test_missing_pydot_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(ImportError, match="pip install pydot"):
        model_to_dot(mlp())


def test_importing_utils_loads_no_pydot():
    code = "import sys, cornu; cornu.utils.plot_model; sys.exit('pydot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
