"""Calls: arguments by name, a mask and a shape for each tensor among them, in every kind of model and in files."""

import numpy as np
import pytest

import cornu
from cornu import layers, models, ops
from cornu.core.layer import Layer
from cornu.core.scope import get_mask
from cornu.layers import Dense, Embedding, Input

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
QUERIES = np.array([[1, 2, 0, 3], [4, 0, 0, 0]], "int32")
VALUES = np.array([[1, 0, 5], [2, 6, 0]], "int32")


def attention_of(library):
    """Return a layer class of several tensors, written once for `library`: Cornu or real Keras."""

    class Attend(library.layers.Layer):
        """Weigh the values by how well they fit the queries; padded values weigh nothing, padded queries give 0."""

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = True
            self.seen = []

        def build(self, query_shape, value_shape, key_shape=None):
            self.built_for = query_shape, value_shape, key_shape
            self.kernel = self.add_weight(shape=(query_shape[-1], value_shape[-1]), initializer="ones", name="kernel")

        def call(self, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, training=False):
            self.seen.append((query_mask, value_mask, key_mask))
            ops = library.ops
            scores = ops.matmul(ops.matmul(query, self.kernel), ops.swapaxes(value if key is None else key, 1, 2))
            if value_mask is not None:
                scores = scores + ops.cast(ops.expand_dims(value_mask, 1), "float32") * 9.0
            outputs = ops.matmul(ops.softmax(scores), value)
            if query_mask is not None:
                outputs = outputs * ops.cast(ops.expand_dims(query_mask, -1), "float32")
            return outputs

        def compute_mask(self, query, previous_mask=None):
            return previous_mask

    return library.saving.register_keras_serializable("calling")(Attend)


Attend = attention_of(cornu)
WAYS = {
    "by position": lambda layer, q, v: layer(q, v),
    "by keyword": lambda layer, q, v: layer(query=q, value=v),
    "mixed": lambda layer, q, v: layer(q, value=v),
    "in another order": lambda layer, q, v: layer(value=v, query=q),
    "with a key": lambda layer, q, v: layer(q, v, key=v),
}


def functional(library, attend, way):
    """Return a model of two masked inputs and the layer, with weights that depend on nothing but their shapes."""
    L = library.layers
    queries, values = L.Input((4,), dtype="int32", name="q"), L.Input((3,), dtype="int32", name="v")
    embed = L.Embedding(7, 3, mask_zero=True)
    outputs = L.GlobalAveragePooling1D()(way(attend(), embed(queries), embed(values)))
    model = library.Model([queries, values], L.Dense(2)(outputs))
    model.set_weights([np.random.default_rng(i).normal(size=w.shape) for i, w in enumerate(model.get_weights())])
    return model


def test_a_layer_takes_its_input_by_name():
    layer = Dense(2)
    assert np.array_equal(layer(inputs=X), layer(X))
    tensor = Input((4,))
    assert layer(inputs=tensor).shape == (None, 2)
    assert layer.get_input_at(0) is tensor
    assert layer.input is tensor
    model = models.Sequential([Dense(3), Dense(2)])
    assert np.array_equal(model(inputs=X), model(X))
    inner = models.Model(tensor, layer(tensor))
    assert np.array_equal(inner(inputs=X), layer(X))
    outer = models.Model(tensor, inner(inputs=tensor))
    assert np.allclose(outer.predict(X, verbose=0), layer(X), rtol=1e-5)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_tensor_has_its_mask_and_its_shape(way):
    embed, layer = Embedding(7, 3, mask_zero=True), Attend()
    outputs = way(layer, embed(QUERIES), embed(VALUES))
    query_mask, value_mask, key_mask = layer.seen[-1]
    assert np.array_equal(query_mask, QUERIES != 0)
    assert np.array_equal(value_mask, VALUES != 0)
    assert key_mask is None or np.array_equal(key_mask, VALUES != 0)  # the key is the value, where there is one
    assert layer.built_for[:2] == ((2, 4, 3), (2, 3, 3))
    assert np.array_equal(get_mask(outputs), QUERIES != 0)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_models_equal_real_keras(way, real_keras):
    ours, keras = functional(cornu, Attend, way), functional(real_keras, attention_of(real_keras), way)
    expected = keras.predict([QUERIES, VALUES], verbose=0)
    assert np.allclose(ours.predict([QUERIES, VALUES], verbose=0), expected, atol=1e-5)
    assert np.allclose(ours([QUERIES, VALUES]), expected, atol=1e-5)


def test_eager_masks_equal_real_keras(real_keras):
    found = []
    for library, attend in ((cornu, Attend), (real_keras, attention_of(real_keras))):
        embed, layer = library.layers.Embedding(7, 3, mask_zero=True), attend()
        explicit = np.array([[True, False, True, True], [False, True, False, False]])
        first = layer(embed(QUERIES), embed(VALUES))
        layer(embed(QUERIES), embed(VALUES), query_mask=explicit)
        layer(query=library.ops.ones((2, 4, 3)), value=embed(VALUES))
        found.append([[None if mask is None else np.asarray(mask) for mask in masks] for masks in layer.seen])
        found[-1].append([np.asarray(first._keras_mask)])
    for ours, theirs in zip(*found, strict=True):
        for mask, expected in zip(ours, theirs, strict=True):
            assert (mask is None) == (expected is None)
            assert mask is None or np.array_equal(mask, expected)


def test_masks_given_by_position_win():
    embed, layer = Embedding(7, 3, mask_zero=True), Attend()
    explicit = np.ones((2, 4), bool)
    layer(embed(QUERIES), embed(VALUES), None, explicit, None)
    query_mask, value_mask, _ = layer.seen[-1]
    assert np.array_equal(query_mask, explicit)
    assert np.array_equal(value_mask, VALUES != 0)


def test_training_may_be_given_by_position():
    dropout = layers.Dropout(0.5)
    assert (np.asarray(dropout(X, True)) == 0).any()


class Both(models.Model):
    """A subclassed model around the layer."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embed = Embedding(7, 3, mask_zero=True)
        self.attend = Attend()
        self.pool = layers.GlobalAveragePooling1D()

    def call(self, inputs):
        queries, values = inputs
        return self.pool(self.attend(self.embed(queries), value=self.embed(values)))


@pytest.mark.parametrize("eagerly", [True, False], ids=["eagerly", "compiled"])
def test_subclassed_models_give_their_layers_masks(eagerly, real_keras):
    model = Both()
    model.compile("sgd", "mse", run_eagerly=eagerly)
    predicted = model.predict([QUERIES, VALUES], verbose=0)
    assert model.attend.seen[-1][0] is not None
    assert model.attend.seen[-1][1] is not None
    graph = functional(cornu, Attend, WAYS["mixed"])
    graph.layers[2].set_weights(model.embed.get_weights())
    graph.layers[3].set_weights(model.attend.get_weights())
    pooled = models.Model(graph.inputs, graph.layers[-2].output)
    assert np.allclose(pooled.predict([QUERIES, VALUES], verbose=0), predicted, atol=1e-6)
    model.fit([QUERIES, VALUES], np.zeros((2, 3)), verbose=0)


def test_nested_and_cloned_models_replay_the_masks():
    inner = functional(cornu, Attend, WAYS["mixed"])
    expected = inner.predict([QUERIES, VALUES], verbose=0)
    outer = models.Model(inner.inputs, inner(inner.inputs))
    assert np.allclose(outer.predict([QUERIES, VALUES], verbose=0), expected, atol=1e-6)
    copy = models.clone_model(inner)
    copy.set_weights(inner.get_weights())
    assert np.allclose(copy.predict([QUERIES, VALUES], verbose=0), expected, atol=1e-6)

    embed = models.Sequential([Input((4,), dtype="int32"), Embedding(7, 3, mask_zero=True)])
    queries, values = Input((4,), dtype="int32"), Input((3,), dtype="int32")
    model = models.Model([queries, values], Attend()(embed(queries), value=inner.layers[2](values)))
    model.predict([QUERIES, VALUES], verbose=0)
    query_mask, value_mask, _ = model.layers[-1].seen[-1]
    assert query_mask is not None
    assert value_mask is not None


def test_symbolic_tensors_have_masks_while_shapes_are_inferred():
    class Needs(Layer):
        def call(self, inputs, mask=None):
            return ops.cast(mask, "float32")

    tokens = Input((4,), dtype="int32")
    embed = Embedding(7, 3, mask_zero=True)
    embedded = layers.Dropout(0.5)(embed(tokens))
    assert tuple(embedded._keras_mask.shape) == (None, 4)
    model = models.Model(tokens, Needs()(embedded))
    assert model.output_shape == (None, 4)
    assert np.array_equal(model.predict(QUERIES, verbose=0), QUERIES != 0)


@pytest.mark.parametrize("how", ["the tensor's", "compute_mask"])
def test_a_mask_may_be_given_as_a_symbolic_tensor(how):
    tokens, other = Input((4,), dtype="int32"), Input((4, 2))
    embed = Embedding(7, 3, mask_zero=True)
    mask = embed(tokens)._keras_mask if how == "the tensor's" else embed.compute_mask(tokens)
    model = models.Model([tokens, other], layers.GlobalAveragePooling1D()(other, mask=mask))
    data = np.random.default_rng(1).normal(size=(2, 4, 2)).astype("float32")
    expected = [rows[ids != 0].mean(0) for rows, ids in zip(data, QUERIES, strict=True)]
    for one in (model, models.clone_model(model)):
        assert np.allclose(one.predict([QUERIES, data], verbose=0), expected, atol=1e-6)


def test_a_model_takes_masks_for_its_inputs():
    inputs = Input((4, 3))
    model = models.Model(inputs, layers.GlobalAveragePooling1D()(inputs))
    data = np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32")
    expected = [rows[ids != 0].mean(0) for rows, ids in zip(data, QUERIES, strict=True)]
    assert np.allclose(model(data, mask=QUERIES != 0), expected, atol=1e-6)


def test_layers_inside_may_set_the_mask_of_the_outputs(real_keras):
    """As in Keras, a layer that does not know masks leaves those that the layers inside it set."""
    found = []
    for library in (cornu, real_keras):

        class Around(library.layers.Layer):
            def __init__(self, library=library):
                super().__init__()
                self.embed = library.layers.Embedding(7, 3, mask_zero=True)

            def call(self, inputs):
                return self.embed(inputs)

        found.append(np.asarray(Around()(QUERIES)._keras_mask))
    assert np.array_equal(*found)


def test_of_several_outputs_the_first_has_the_mask(real_keras):
    found = []
    for library in (cornu, real_keras):

        class Twice(library.layers.Layer):
            def __init__(self):
                super().__init__()
                self.supports_masking = True

            def call(self, inputs):
                return inputs + 1.0, inputs * 2.0

        first, second = Twice()(library.layers.Embedding(7, 3, mask_zero=True)(QUERIES))
        found.append((np.asarray(first._keras_mask), getattr(second, "_keras_mask", None)))
    assert np.array_equal(found[0][0], found[1][0])
    assert found[0][1] is found[1][1] is None


# ---- shapes


def test_compute_output_shape_takes_a_shape_for_each_tensor():
    layer = Attend()
    assert layer.compute_output_shape((None, 4, 3), (None, 3, 5)) == (None, 4, 5)
    assert layer.compute_output_shape(query_shape=(2, 4, 3), value_shape=(2, 7, 5)) == (2, 4, 5)
    assert Dense(2).compute_output_shape(input_shape=(None, 3)) == (None, 2)
    assert layers.Add().compute_output_shape([(None, 3), (None, 3)]) == (None, 3)


def test_compute_output_shape_of_ones_own_gets_a_shape_for_each_tensor():
    class Table(Layer):
        def call(self, rows, columns, scale=1.0):
            return ops.expand_dims(rows, -1) * ops.expand_dims(columns, 1) * scale

        def compute_output_shape(self, rows_shape, columns_shape):
            return (rows_shape[0], rows_shape[1], columns_shape[1])

    for call in (lambda a, b: Table()(a, b), lambda a, b: Table()(columns=b, rows=a, scale=2.0)):
        assert call(Input((3,)), Input((5,))).shape == (None, 3, 5)
        assert call(np.ones((2, 3)), np.ones((2, 5))).shape == (2, 3, 5)


def test_build_gets_what_it_asks_for():
    seen = {}

    def layer_with(build):
        class Pair(Layer):
            def call(self, first, second=None, scale=1.0):
                return first

        Pair.build = build
        return type("Own", (Pair,), {"build": build})()

    def one(self, shape):
        seen["one"] = shape

    def optional(self, first_shape, second_shape="left out"):
        seen["optional"] = first_shape, second_shape

    def older(self, input_shape, extra=3):
        seen["older"] = input_shape, extra

    def none(self):
        seen["none"] = True

    for build in (one, optional, older, none):
        layer_with(build)(X)
    assert seen == {"one": (5, 4), "optional": ((5, 4), "left out"), "older": ((5, 4), 3), "none": True}
    layer_with(one)([X, {"a": X}])
    assert seen["one"] == [(5, 4), {"a": (5, 4)}]

    def wrong(self, first_shape, third_shape):
        pass

    with pytest.raises(ValueError, match=r"third_shape.*\n.*query_shape is the shape of query"):
        layer_with(wrong)(X, X)


# ---- files


def test_build_configs_have_the_keys_of_keras(real_keras):
    for library, attend in ((cornu, Attend), (real_keras, attention_of(real_keras))):
        layer, dense = attend(), library.layers.Dense(2)
        layer(np.ones((2, 4, 3), "float32"), value=np.ones((2, 5, 3), "float32"))
        dense(X)
        assert layer.get_build_config() == {"shapes_dict": {"query_shape": (2, 4, 3), "value_shape": (2, 5, 3)}}
        assert dense.get_build_config() == {"input_shape": (5, 4)}
    again = Attend()
    again.build_from_config({"shapes_dict": {"query_shape": [2, 4, 3], "value_shape": [2, 5, 7], "key_shape": None}})
    assert again.get_weights()[0].shape == (3, 7)
    with pytest.raises(ValueError, match=r"no argument 'other'.*\n.*query_shape, value_shape"):
        Attend().build_from_config({"shapes_dict": {"other": [2, 3]}})


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("way", ["by position", "by keyword", "mixed"])
def test_models_are_saved_and_loaded(suffix, way, tmp_path):
    model = functional(cornu, Attend, WAYS[way])
    model.save(tmp_path / f"model.{suffix}")
    again = models.load_model(tmp_path / f"model.{suffix}", custom_objects={"Attend": Attend})
    assert np.array_equal(again.predict([QUERIES, VALUES]), model.predict([QUERIES, VALUES]))
    assert again.layers[3].seen[-1][1] is not None


def test_a_subclassed_model_with_the_layer_is_saved_and_loaded(tmp_path):
    model = Both()
    expected = model.predict([QUERIES, VALUES], verbose=0)
    model.save(tmp_path / "model.keras")
    again = models.load_model(tmp_path / "model.keras", custom_objects={"Both": Both})
    assert np.array_equal(again.predict([QUERIES, VALUES], verbose=0), expected)


class TwoArguments(models.Model):
    """A subclassed model whose call takes two tensors."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attend = Attend()

    def call(self, query, value, training=False):
        return self.attend(query, value=value)


def test_a_subclassed_model_of_two_arguments_is_saved_and_loaded(tmp_path):
    model = TwoArguments()
    query, value = np.ones((2, 4, 3), "float32"), np.ones((2, 5, 6), "float32")
    expected = model(query, value=value)
    assert model.get_build_config() == {"shapes_dict": {"query_shape": (2, 4, 3), "value_shape": (2, 5, 6)}}
    model.save(tmp_path / "model.keras")
    again = models.load_model(tmp_path / "model.keras", custom_objects={"TwoArguments": TwoArguments})
    assert np.array_equal(again(query, value), expected)


def test_real_keras_reads_what_cornu_wrote(real_keras, tmp_path):
    model = functional(cornu, Attend, WAYS["mixed"])
    model.save(tmp_path / "model.keras")
    attend = attention_of(real_keras)
    again = real_keras.models.load_model(tmp_path / "model.keras", custom_objects={"Attend": attend})
    assert np.allclose(again.predict([QUERIES, VALUES], verbose=0), model.predict([QUERIES, VALUES]), atol=1e-5)


def test_tensors_by_keyword_in_a_config_of_keras_2():
    """tf.keras 2 writes the layer's second tensor among the arguments of the first."""
    config = functional(cornu, Attend, WAYS["mixed"]).get_config()
    for entry in config["layers"]:
        name = entry["class_name"]
        old = {
            "Embedding": [[["q", 0, 0, {}]], [["v", 0, 0, {}]]],
            "Attend": [[[config["layers"][2]["name"], 0, 0, {"value": [config["layers"][2]["name"], 1, 0]}]]],
        }
        entry["inbound_nodes"] = old.get(name, entry["inbound_nodes"])
    model = models.Model.from_config(config, custom_objects={"Attend": Attend})
    model.predict([QUERIES, VALUES], verbose=0)
    assert model.layers[3].built_for[:2] == ((None, 4, 3), (None, 3, 3))
    assert model.layers[3].seen[-1][1] is not None


# ---- what is said of mistakes


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: Dense(2)(input=X), r"'dense.*' \(Dense\) has no argument 'input'.*'inputs'.*\n.*\(inputs\)"),
        (lambda: Dense(2)(), r"was called without 'inputs'.\nIts arguments are \(inputs\)"),
        (lambda: Dense(2)(X, X), "takes 1 arguments by position; got 2"),
        (lambda: Dense(2)(X, inputs=X), "'inputs' twice"),
        (lambda: Dense(2)(X, mask=X), "has no argument 'mask'"),
        (lambda: Attend()(X), r"without 'value'.\nIts arguments are \(query, value, key=None"),
        (lambda: Attend()(Input((2, 2)), values=Input((2, 2))), "'values'.*'value'"),
        (lambda: models.Sequential([Dense(2)])(), "without 'inputs'"),
    ],
)
def test_wrong_arguments_are_named(action, words):
    with pytest.raises(TypeError, match=words):
        action()


def test_a_layer_may_take_any_arguments():
    class Open(Layer):
        def call(self, *tensors, **options):
            return sum(tensors) * options.get("factor", 1.0)

    assert np.allclose(Open()(X, X, factor=3.0, training=True), 6 * X)


def own_specs(library):
    """Return what layers that say the shape or dtype of their outputs themselves make of a model."""

    class Never(library.layers.Layer):
        def call(self, x):
            raise RuntimeError("never")

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], 7)

    class Spec(library.layers.Layer):
        def call(self, x, factor=2):
            return x * factor

        def compute_output_spec(self, x, factor=2):
            return library.KerasTensor((x.shape[0], 7 * factor), "int32")

    class Several(library.layers.Layer):
        def call(self, x):
            return {"a": x, "b": (x, x)}

        def compute_output_spec(self, x):
            return {"a": super().compute_output_spec(x)["a"], "b": (library.KerasTensor(x.shape, x.dtype),) * 1}

    start = library.Input((3,))
    tensors = [Never().compute_output_spec(library.KerasTensor((2, 3))), Never()(start), Spec()(start, factor=3)]
    model = library.Model(start, Several()(start))
    tensors += model.outputs
    return [(tuple(tensor.shape), str(tensor.dtype)) for tensor in tensors]


def test_layers_may_say_what_their_outputs_are(real_keras):
    assert own_specs(cornu) == own_specs(real_keras)


def test_a_spec_may_return_the_inputs():
    class Same(Layer):
        supports_masking = True

        def call(self, x):
            return 2 * x

        def compute_output_spec(self, x):
            return x

    start = Input((3,))
    np.testing.assert_array_equal(models.Model(start, Same()(start))(X[:, :3]), 2 * X[:, :3])
    assert Same()(Embedding(4, 2, mask_zero=True)(Input((3,), dtype="int32")))._keras_mask.shape == (None, 3)


def forms_of_calls(library):
    """Return what calls give whose inputs and masks come by keyword, by position, or with the tensors."""
    seen = []

    class Pair(library.layers.Layer):
        supports_masking = True

        def call(self, q, v, q_mask=None, v_mask=None):
            seen.append((q_mask is not None, v_mask is not None))
            return q

    steps, mask = np.arange(6.0, dtype="float32").reshape(1, 3, 2), np.array([[1, 1, 0]])
    embedding = library.layers.Embedding(7, 2, mask_zero=True)
    q, v = np.array([[1, 0]]), np.array([[2, 0, 3]])
    Pair()(embedding(q), embedding(v))
    Pair()(embedding(q), library.ops.ones((1, 3, 2)))
    starts = [library.Input((2,), dtype="int32"), library.Input((3,), dtype="int32")]
    graph = library.Model(starts, Pair()(*map(embedding, starts)))
    graph.predict([q, v], verbose=0)
    return [
        tuple(library.layers.Dense(2)(inputs=X).shape),
        tuple(library.layers.Conv2D(2, 3)(inputs=library.Input((8, 8, 1))).shape),
        np.asarray(library.layers.GlobalAveragePooling1D()(steps, mask)).tolist(),
        tuple(library.layers.GlobalAveragePooling1D()(library.Input((3, 2)), library.Input((3,))).shape),
        seen[:2],
        seen[-1],
        library.layers.Masking().compute_mask(library.Input((3, 4))).shape,
        library.layers.Masking()(library.Input((3, 4)))._keras_mask.shape,
        library.Model(starts[0], embedding(starts[0])._keras_mask).predict(q, verbose=0).tolist(),
    ]


def test_inputs_by_keyword_and_masks_by_position(real_keras):
    assert forms_of_calls(cornu) == forms_of_calls(real_keras)
