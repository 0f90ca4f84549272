"""The order of `model.layers` in graphs made at random is real Keras's; weights, summaries and files follow it."""

import random
import re

import numpy as np
import pytest

import cornu

keras = pytest.importorskip("keras")

WIDTH = 3
KINDS = {"dense": 6, "again": 3, "add": 4, "concatenate": 2, "activation": 1, "sum": 2, "stack": 1, "model": 2}


def plan(chance, depth=0, kinds=KINDS):
    """Return a graph as data: the number of inputs, steps (kind, tensors by number, more), outputs, order of inputs."""
    inputs = chance.randint(1, 3)
    steps, count = [], inputs
    for _ in range(chance.randint(2, 8)):
        kind = chance.choices(list(kinds), list(kinds.values()))[0]
        called = [number for number, step in enumerate(steps) if step[0] in ("dense", "stack", "model")]
        if (kind == "again" and not called) or (kind == "model" and depth == 2):
            kind = "dense"
        more = chance.choice(called) if kind == "again" else plan(chance, depth + 1, kinds) if kind == "model" else None
        callee = steps[more] if kind == "again" else (kind, None, more)
        taken = callee[2][0] if callee[0] == "model" else 3 if kind in ("add", "concatenate", "sum") else 1
        given = [chance.choice([count - 1, chance.randrange(count)]) for _ in range(taken)]
        steps.append((kind, given, more))
        count += len(callee[2][2]) if callee[0] == "model" else 1
    outputs = [count - 1, *chance.sample(range(count - 1), chance.randint(0, 2))]
    return inputs, steps, outputs, chance.sample(range(inputs), inputs)


def built(library, graph, prefix="m"):
    """Return the model of a plan, made with Cornu or with Keras."""
    inputs, steps, outputs, order = graph
    tensors = [library.layers.Input((WIDTH,), name=f"{prefix}{number}in") for number in range(inputs)]
    made = []
    for number, (kind, given, more) in enumerate(steps):
        arguments = [tensors[index] for index in given]
        made.append(made[more] if kind == "again" else layer_of(library, kind, more, f"{prefix}{number}{kind}"))
        result = made[-1](arguments if len(arguments) > 1 else arguments[0])
        tensors.extend(result if isinstance(result, list) else [result])
    return library.Model([tensors[index] for index in order], [tensors[index] for index in outputs], name=prefix)


def layer_of(library, kind, more, name):
    layers = library.layers
    if kind == "model":
        return built(library, more, name)
    if kind == "sum":  # operations that are no layers
        return lambda tensors: tensors[0] + tensors[1] * tensors[2]
    if kind == "stack":
        return library.Sequential([layers.Input((WIDTH,)), layers.Dense(WIDTH, name=f"{name}d")], name=name)
    if kind == "concatenate":
        joined, dense = layers.Concatenate(name=name), layers.Dense(WIDTH, name=f"{name}d")
        return lambda tensors: dense(joined(tensors))
    if kind == "dense":
        return layers.Dense(WIDTH, name=name)
    return layers.Add(name=name) if kind == "add" else layers.ReLU(name=name)


def names(model):
    return [(layer.name, names(layer) if hasattr(layer, "layers") else None) for layer in model.layers]


def listed(model):
    """Return the names in the first column of the summary, also of layers inside of models."""
    lines = []
    model.summary(print_fn=lambda text, **_: lines.append(text), expand_nested=True, line_length=200)
    return re.findall(r"m\d+\w+(?= \()", "\n".join(lines))


@pytest.mark.parametrize("seed", range(16))
def test_layers_weights_and_summary_are_in_keras_order(seed):
    graph = plan(random.Random(seed))
    ours, theirs = built(cornu, graph), built(keras, graph)
    assert names(ours) == names(theirs)
    assert [weight.path.split("/")[-2:] for weight in ours.weights] == [
        weight.path.split("/")[-2:] for weight in theirs.weights
    ]
    if not any(step[0] == "sum" for step in graph[1]):  # the names of plain operations are the library's own
        assert listed(ours) == listed(theirs) != []


@pytest.mark.old_spellings  # real Keras's files have keys that compat/ reads
@pytest.mark.parametrize("ending", ["keras", "h5", "weights.h5"])
@pytest.mark.parametrize("seed", [1, 3, 7])
def test_files_load_both_ways(seed, ending, tmp_path):
    graph = plan(random.Random(seed), kinds={**KINDS, "sum": 0})
    for one, other in ((cornu, keras), (keras, cornu)):
        saved, path = built(one, graph), tmp_path / f"{one.__name__}.{ending}"
        if ending == "weights.h5":
            saved.save_weights(path)
            loaded = built(other, graph)
            loaded.load_weights(path)
        else:
            saved.save(path)
            loaded = (other.models if other is cornu else other.saving).load_model(path, compile=False)
        assert names(loaded) == names(saved)
        for have, want in zip(loaded.get_weights(), saved.get_weights(), strict=True):
            np.testing.assert_array_equal(have, want)


def test_a_second_input_that_enters_deeper_stands_where_it_enters():
    def orders(library):
        start, late, unused = (library.layers.Input((WIDTH,), name=name) for name in ("start", "late", "unused"))
        inner = library.layers.Dense(WIDTH, name="inner")(start)
        joined = library.layers.Add(name="joined")([inner, late])
        return [layer.name for layer in library.Model([unused, late, start], joined).layers]

    assert orders(cornu) == orders(keras) == ["start", "inner", "late", "unused", "joined"]
