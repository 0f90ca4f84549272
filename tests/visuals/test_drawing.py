import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import cornu
from cornu import layers

SVG = "{http://www.w3.org/2000/svg}"


def branched():
    left, right = cornu.Input((4,), name="left"), cornu.Input((4,), name="right")
    inner = cornu.Sequential(
        [layers.Input((4,)), layers.Dense(3, name="first"), layers.ReLU(name="relu")], name="inner"
    )
    both = layers.concatenate([inner(left), inner(right)], name="both")
    frozen = layers.Dense(1, name="last", trainable=False, activation="tanh")
    return cornu.Model([left, right], frozen(both * 2.0), name="branched")


def read(diagram):
    """Return the texts in the boxes, the labels of frames, and the number of edges; the SVG has to be XML."""
    root = ElementTree.fromstring(str(diagram))
    kinds = {kind: [g for g in root.iter(f"{SVG}g") if g.get("class") == kind] for kind in ("box", "frame", "edge")}
    boxes = [["".join(text.itertext()).strip() for text in box.iter(f"{SVG}text")] for box in kinds["box"]]
    return boxes, ["".join(frame.itertext()) for frame in kinds["frame"]], len(kinds["edge"])


def test_a_stack_is_drawn_downwards():
    model = cornu.Sequential(
        [layers.Input((4,)), layers.Dense(3, activation="relu", name="one"), layers.Dense(2, name="two")]
    )
    boxes, frames, edges = read(model.diagram())
    assert boxes[0] == ["one (Dense)", "Activation: relu", "Input shape: (None, 4)", "Output shape: (None, 3)"]
    assert [box[0] for box in boxes] == ["one (Dense)", "two (Dense)"]
    assert (frames, edges) == ([], 1)


def test_branches_functions_and_shared_models():
    boxes, frames, edges = read(branched().diagram(show_shapes=False, show_layer_activations=False))
    assert [re.sub(r"_\d+ ", " ", box[0]) for box in boxes] == [
        "left (InputLayer)", "right (InputLayer)", "inner (Sequential)", "both (Concatenate)", "multiply (function)",
        "last (Dense)",
    ]  # fmt: skip
    assert (frames, edges) == ([], 5)


def test_nested_models_have_a_frame():
    boxes, frames, edges = read(branched().diagram(expand_nested=True))
    assert frames == ["inner"]
    assert {"first (Dense)", "relu (ReLU)"} < {box[0] for box in boxes}
    assert edges == 6


def test_to_the_right_is_wide_and_downwards_is_high():
    size = {
        rank: [float(n) for n in re.findall(r'viewBox="0 0 (\d+) (\d+)"', str(branched().diagram(rankdir=rank)))[0]]
        for rank in ("TB", "LR")
    }
    assert size["TB"][0] < size["TB"][1]
    assert size["LR"][0] > size["LR"][1]
    with pytest.raises(ValueError, match=r"'TB' .downwards. or 'LR'"):
        branched().diagram(rankdir="down")


def test_what_is_frozen_is_marked():
    colours = set(re.findall(r'rx="6" stroke="(#\w{6})"', str(branched().diagram(show_trainable=True))))
    assert len(colours) == 3
    texts = str(branched().diagram(show_trainable=True, show_dtype=True, show_layer_names=False))
    assert "Trainable:</tspan> no" in texts
    assert "Output dtype:</tspan> float32" in texts
    assert "last" not in texts


def test_subclassed_and_unbuilt_models_are_drawn():
    class Own(cornu.Model):
        def call(self, inputs):
            return inputs

    assert read(Own(name="own").diagram(show_shapes=False))[0] == [["own (Own)"]]
    unbuilt = cornu.Sequential([layers.Dense(3, name="a<b>&c"), layers.Dense(2)])
    assert read(unbuilt.diagram())[0][0][0] == "a<b>&c (Dense)"


def test_notebooks_files_and_text(tmp_path):
    diagram = branched().diagram()
    assert diagram._repr_svg_() == diagram._repr_html_() == str(diagram)
    diagram.save(tmp_path / "model.svg")
    assert (tmp_path / "model.svg").read_text(encoding="utf-8") == str(diagram)
    assert "'branched'" in repr(diagram)


def test_neither_pydot_nor_graphviz_nor_rich_is_loaded():
    code = (
        "import sys, cornu; from cornu import layers; cornu.Sequential([layers.Dense(1)]).diagram(); "
        "sys.exit(bool({'pydot', 'matplotlib', 'rich'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
