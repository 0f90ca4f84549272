"""Stacks of layers: inputs that the first data describe, in lists and dictionaries too, and what is saved of them."""

import numpy as np
import pytest

import cornu
from cornu import layers, models

ONES = np.ones((2, 4), "float32")


def of_lists_and_dictionaries(library, tmp_path):
    """Return what stacks give whose first layer takes a list or a dictionary."""

    class Joined(library.layers.Layer):
        def call(self, inputs):
            return inputs["a"] + inputs["b"]

        def compute_output_shape(self, input_shape):
            return input_shape["a"]

    facts = []
    pair, by_name = [ONES, 2 * ONES], {"b": ONES, "a": 2 * ONES}
    for first, inputs in ((library.layers.Add(), pair), (Joined(), by_name)):
        dense = library.layers.Dense(2, kernel_initializer="ones")
        stack = library.Sequential([first, dense])
        facts.append(np.asarray(stack(inputs)).tolist())
        facts.append(stack.predict(inputs, verbose=0).tolist())
        stack.compile("sgd", "mse")
        stack.fit(inputs, ONES[:, :2], verbose=0)
        facts += [
            stack.built,
            len(stack.weights),
            len(stack.layers),
            np.round(stack.predict(inputs, verbose=0), 4).tolist(),
        ]
        fresh = library.Sequential([library.layers.Add(), library.layers.Dense(2)])
        fresh.compile("sgd", "mse")
        if inputs is pair:
            fresh.fit(pair, ONES[:, :2], verbose=0)
            facts.append(fresh.evaluate(pair, ONES[:, :2], verbose=0) >= 0)
            stack.save(tmp_path / f"{library.__name__}.keras")
            loaded = library.models.load_model(tmp_path / f"{library.__name__}.keras")
            facts.append(np.round(loaded.predict(pair, verbose=0), 4).tolist())
    return facts


def test_the_first_data_may_be_a_list_or_a_dictionary(real_keras, tmp_path):
    assert of_lists_and_dictionaries(cornu, tmp_path) == of_lists_and_dictionaries(real_keras, tmp_path)


def test_a_stack_of_several_inputs_is_part_of_a_graph():
    """Keras 3.15 cannot build one on symbolic tensors."""
    stack, start = models.Sequential([layers.Add(), layers.Dense(2)]), [layers.Input((4,)), layers.Input((4,))]
    around = models.Model(start, stack(start))
    np.testing.assert_array_equal(around.predict([ONES, ONES], verbose=0), stack.predict([ONES, ONES], verbose=0))


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".json"])
def test_a_stack_of_several_inputs_is_saved_and_copied(tmp_path, real_keras, suffix):
    stack = models.Sequential([layers.Add(), layers.Dense(2)])
    expected = stack.predict([ONES, ONES], verbose=0)
    if suffix == ".json":
        again = models.model_from_json(stack.to_json())
        again.set_weights(stack.get_weights())
    else:
        stack.save(tmp_path / f"m{suffix}")
        again = models.load_model(tmp_path / f"m{suffix}")
    np.testing.assert_array_equal(again.predict([ONES, ONES], verbose=0), expected)
    if suffix == ".keras":
        theirs = real_keras.models.load_model(tmp_path / "m.keras")
        np.testing.assert_allclose(theirs.predict([ONES, ONES], verbose=0), expected, rtol=1e-6)
    copy = models.clone_model(stack)
    copy.set_weights(stack.get_weights())
    np.testing.assert_array_equal(copy([ONES, ONES]), expected)
    stack.add(layers.Dense(3))
    assert stack([ONES, ONES]).shape == (2, 3)
    stack.pop()
    np.testing.assert_array_equal(stack([ONES, ONES]), expected)


def several_outputs(library):
    class Twice(library.layers.Layer):
        def call(self, inputs):
            return [inputs, 2 * inputs]

    inside = library.Sequential([library.Input((4,)), Twice(), library.layers.Add()])
    outside = library.Sequential([library.Input((4,)), Twice()])
    return [
        np.asarray(inside(ONES)).tolist(),
        inside.output_shape,
        [np.asarray(output).tolist() for output in outside.predict(ONES, verbose=0)],
        outside.output_shape,
    ]


def test_layers_may_have_several_outputs(real_keras):
    assert several_outputs(cornu) == several_outputs(real_keras)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("Flatten", ()), ("Reshape", ((-1, 2),)), ("Permute", ((2, 1),)), ("Conv1D", (3, 2)), ("UpSampling1D", (2,))],
)
def test_a_stack_built_by_its_first_data_takes_other_sizes(real_keras, tmp_path, name, arguments):
    shapes = []
    for library in (cornu, real_keras):
        stack = library.Sequential([getattr(library.layers, name)(*arguments)])
        found = [tuple(stack(np.ones(shape)).shape) for shape in [(2, 4, 2), (3, 4, 2), (3, 6, 2)]]
        found.append(stack.predict(np.ones((5, 8, 2)), verbose=0).shape)
        stack.save(tmp_path / f"{library.__name__}.keras")
        loaded = library.models.load_model(tmp_path / f"{library.__name__}.keras")
        found += [tuple(loaded(np.ones((3, 4, 2))).shape), tuple(loaded(np.ones((3, 6, 2))).shape)]
        shapes.append(found)
    assert shapes[0] == shapes[1]
    theirs = real_keras.models.load_model(tmp_path / "cornu.keras")
    assert tuple(theirs(np.ones((3, 6, 2))).shape) == shapes[1][2]


def test_other_sizes_are_trained_on_too():
    stack = models.Sequential([layers.Conv1D(2, 3, padding="same"), layers.Dense(1)])
    stack.compile("sgd", "mse")
    for steps in (5, 9):
        stack.fit(np.ones((4, steps, 2)), np.ones((4, steps, 1)), verbose=0)
    assert stack.predict(np.ones((3, 7, 2)), verbose=0).shape == (3, 7, 1)
    with pytest.raises(ValueError, match="axis -1 of size 2"):
        stack.predict(np.ones((3, 7, 3)), verbose=0)
    with pytest.raises(ValueError, match=r"the data has shape \(3, 7\)"):
        stack.predict(np.ones((3, 7)), verbose=0)


def test_a_declared_input_is_checked():
    stack = models.Sequential([layers.Input((28, 28)), layers.Flatten()])
    with pytest.raises(ValueError, match=r"Reshape it: x\.reshape"):
        stack.predict(np.ones((2, 784)), verbose=0)
