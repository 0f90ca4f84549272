"""The paths of variables in weights files are those that real Keras gives them."""

import h5py
import numpy as np
import pytest

import cornu
from cornu.saving.variable_paths import places


def paths_of_file(path):
    """Return path -> (name, shapes) of all groups with variables in a file."""
    found = {}

    def note(name, thing):
        if name.split("/")[-1] == "vars" and not name.startswith("optimizer"):
            owner, _, _ = name.rpartition("vars")
            found[owner.strip("/")] = (thing.attrs.get("name"), [thing[key].shape for key in sorted(thing)])

    with h5py.File(path) as file:
        file.visititems(note)
    return found


def paths_of(model):
    return {p.path: (p.owner.name, [tuple(v.shape) for v in p.variables]) for p in places(model, optimizer=False)}


def both(real_keras, make, tmp_path):
    """Build with both libraries and return the paths that each uses."""
    theirs = make(real_keras)
    theirs.save_weights(tmp_path / "w.weights.h5")
    return paths_of(make(cornu)), paths_of_file(tmp_path / "w.weights.h5")


@pytest.mark.parametrize("seed", range(6))
def test_layers_of_a_random_graph_are_numbered_as_in_keras(real_keras, tmp_path, seed):
    def make(lib):
        choice = np.random.default_rng(seed)
        tensors = [lib.Input((4,), name=f"in{i}") for i in range(2)]
        starts = list(tensors)
        for number in range(9):
            picked = choice.choice(len(tensors), 2, replace=False)
            if choice.random() < 0.4:
                tensors.append(lib.layers.Add(name=f"n{number}")([tensors[i] for i in picked]))
            else:
                tensors.append(lib.layers.Dense(4, name=f"n{number}")(tensors[picked[0]]))
        joined = lib.layers.Concatenate(name="joined")(tensors)
        return lib.Model(starts, joined, name="model")

    ours, theirs = both(real_keras, make, tmp_path)
    assert ours == theirs


def test_a_subclassed_model_has_its_attributes_and_lists_as_paths(real_keras, tmp_path):
    def make(lib):
        class Block(lib.layers.Layer):
            def __init__(self, name):
                super().__init__(name=name)
                self.zoom = lib.layers.Dense(2, name=f"{name}_zoom")
                self.alpha = lib.layers.Dense(2, name=f"{name}_alpha")
                self._hidden = lib.layers.Dense(2, name=f"{name}_hidden")

            def build(self, shape):
                self.scale = self.add_weight(shape=(), name="scale")
                for layer in (self.zoom, self.alpha, self._hidden):
                    layer.build(shape)

            def call(self, x):
                return self.zoom(x) + self.alpha(x) + self._hidden(x) * self.scale

        class Net(lib.Model):
            def __init__(self):
                super().__init__(name="net")
                self.first = lib.layers.Dense(2, name="first")
                self.blocks = [Block(f"b{i}") for i in range(2)]
                self.named = {"x": lib.layers.Dense(2, name="x"), "y": lib.layers.BatchNormalization(name="y")}
                self.zlast = lib.layers.Dense(2, name="last")

            def call(self, x):
                x = self.first(x)
                for block in self.blocks:
                    x = block(x)
                return self.zlast(self.named["y"](self.named["x"](x)))

        net = Net()
        net(np.ones((1, 2), "float32"))
        return net

    ours, theirs = both(real_keras, make, tmp_path)
    assert ours == theirs
    assert "blocks/block_1/alpha" in ours


def test_wrappers_and_inner_models_have_keras_paths(real_keras, tmp_path):
    def make(lib):
        layers = lib.layers
        inner = lib.Sequential(
            [lib.Input((3,)), layers.Dense(3, name="d"), layers.Dropout(0.5, name="o")], name="inner"
        )
        start = lib.Input((5, 3), name="start")
        x = layers.TimeDistributed(layers.Dense(3, name="inside"), name="over_time")(start)
        x = layers.GlobalAveragePooling1D(name="pool")(x)
        return lib.Model(start, inner(x), name="model")

    ours, theirs = both(real_keras, make, tmp_path)
    assert ours == theirs
    assert ours["layers/time_distributed/layer"][0] == "inside"
