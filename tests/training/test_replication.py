"""Replicas get the numbers of single runs with their seeds, computed together or one after the other."""

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.callbacks import Callback, CallbackList, EarlyStopping, ModelCheckpoint, ReduceLROnPlateau, TerminateOnNaN
from cornu.core.seeds import seeds_drawn, set_random_seed
from cornu.training.replica_files import replica_path
from cornu.training.replication import Replication, seeds_of

SEEDS = [7, 8, 9]
ROWS = 72
CLOSE = 2e-5


def mlp():
    return cornu.Sequential(
        [cornu.Input((6,)), layers.Dense(8, "relu"), layers.Dropout(0.3), layers.Dense(2, "softmax")]
    )


def cnn():
    return cornu.Sequential([
        cornu.Input((6, 6, 1)), layers.Conv2D(3, 3, activation="relu"), layers.BatchNormalization(),
        layers.MaxPooling2D(), layers.SpatialDropout2D(0.2), layers.Flatten(), layers.Dense(2, "softmax"),
    ])  # fmt: skip


def lstm():
    return cornu.Sequential([
        cornu.Input((5, 3)), layers.Masking(), layers.LSTM(4, dropout=0.2, recurrent_dropout=0.2),
        layers.Dense(2, "softmax"),
    ])  # fmt: skip


def bidirectional():
    """The layer that is copied draws a seed for its dropout, which nobody uses."""
    return cornu.Sequential(
        [cornu.Input((5, 3)), layers.Bidirectional(layers.LSTM(2, dropout=0.2)), layers.Dense(2, "softmax")]
    )


def rows_for(model):
    random = np.random.default_rng(0)
    x = random.normal(size=(ROWS, *model.input_shape[1:])).astype("float32")
    if x.ndim == 3:
        x[:, 3:] *= (random.random((ROWS, 1, 1)) > 0.5)  # fmt: skip
    return x, (x.reshape(ROWS, -1)[:, 0] > 0).astype("int32")


def compiled(build):
    model = build()
    model.compile(cornu.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def single(build, seed, **options):
    set_random_seed(seed)
    model = compiled(build)
    history = model.fit(*rows_for(model), batch_size=16, verbose=0, **options)
    return model, history


def replicated(build, together, seeds=SEEDS, **options):
    begin = seeds_drawn()
    model = compiled(build)
    model._programs.replicate(Replication(seeds, together=together, begin=begin))
    return model, model.fit(*rows_for(model), batch_size=16, verbose=0, **options)


def weights_of(model, replica):
    with model.learner.as_replica(replica):
        return model.get_weights()


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("build", [mlp, cnn, lstm])
def test_each_replica_is_the_single_run_with_its_seed(build, together):
    seeds = SEEDS[:2]
    model, history = replicated(build, together, seeds, epochs=2, validation_split=0.25)
    scores = model.evaluate(*rows_for(model), verbose=0)
    for replica, seed in enumerate(seeds):
        one, alone = single(build, seed, epochs=2, validation_split=0.25)
        assert list(alone.history) == list(history.replicas[replica])
        for name, values in alone.history.items():
            np.testing.assert_allclose(history.replicas[replica][name], values, atol=CLOSE, err_msg=name)
        for found, expected in zip(weights_of(model, replica), one.get_weights(), strict=True):
            np.testing.assert_allclose(found, expected, atol=CLOSE)
        expected = one.evaluate(*rows_for(one), verbose=0)
        np.testing.assert_allclose([score.values[replica] for score in scores], expected, atol=CLOSE)
    np.testing.assert_array_equal(model.get_weights()[0], weights_of(model, 0)[0])


def test_what_is_drawn_beside_the_variables_is_drawn_too():
    _, history = replicated(bidirectional, False, SEEDS[1:2], epochs=1)
    _, alone = single(bidirectional, SEEDS[1], epochs=1)
    assert history.replicas[0]["loss"] == pytest.approx(alone.history["loss"], abs=CLOSE)


def test_history_and_scores_are_means_with_deviations():
    _, history = replicated(mlp, True, epochs=2)
    values = [one["loss"][-1] for one in history.replicas]
    assert history.history["loss"][-1] == pytest.approx(np.mean(values))
    assert history.history["loss"][-1].deviation == pytest.approx(np.std(values, ddof=1))
    assert history.seeds == SEEDS
    assert len(set(values)) == len(SEEDS)


@pytest.mark.parametrize("together", [True, False])
def test_a_second_fit_continues(together):
    model, _ = replicated(mlp, together, epochs=1)
    history = model.fit(*rows_for(model), batch_size=16, epochs=1, verbose=0)
    for replica, seed in enumerate(SEEDS):
        _, alone = single(mlp, seed, epochs=2)
        assert history.replicas[replica]["loss"][0] == pytest.approx(alone.history["loss"][1], abs=CLOSE)


def test_the_first_replica_without_a_seed_is_the_model_itself():
    set_random_seed(7)
    _, history = replicated(mlp, True, [None, 8], epochs=2)
    for replica, seed in enumerate([7, 8]):
        _, alone = single(mlp, seed, epochs=2)
        np.testing.assert_allclose(history.replicas[replica]["loss"], alone.history["loss"], atol=CLOSE)


def test_weights_that_were_assigned_are_the_same_in_all_replicas():
    model = compiled(mlp)
    kernel = np.full((6, 8), 0.5, "float32")
    model.layers[0].set_weights([kernel, np.zeros(8, "float32")])
    model._programs.replicate(Replication(SEEDS))
    model.fit(*rows_for(model), epochs=1, verbose=0, callbacks=[_Weights(found := [])])
    np.testing.assert_array_equal([weights[0] for weights in found], [kernel] * 3)
    assert len({weights[2].tobytes() for weights in found}) == 3  # drawn, so that they differ


class _Weights(Callback):
    per_replica = True

    def __init__(self, found):
        self.found = found

    def __deepcopy__(self, memo):
        return _Weights(self.found)

    def on_train_begin(self, logs=None):
        self.found.append(self.model.get_weights())


# ---- callbacks


@pytest.mark.parametrize("together", [True, False])
def test_early_stopping_freezes_a_replica_alone(together):
    stopping = {"monitor": "loss", "min_delta": 0.01, "patience": 1}
    model, history = replicated(mlp, together, epochs=8, callbacks=[EarlyStopping(**stopping)])
    lengths = []
    for replica, seed in enumerate(SEEDS):
        one, alone = single(mlp, seed, epochs=8, callbacks=[EarlyStopping(**stopping)])
        lengths.append(len(alone.epoch))
        np.testing.assert_allclose(history.replicas[replica]["loss"], alone.history["loss"], atol=CLOSE)
        np.testing.assert_allclose(weights_of(model, replica)[0], one.get_weights()[0], atol=CLOSE)
    assert len(set(lengths)) > 1, lengths
    assert len(history.epoch) == max(lengths)
    last = [one["loss"][-1] for one in history.replicas]
    assert history.history["loss"][-1] == pytest.approx(np.mean(last))


@pytest.mark.parametrize("together", [True, False])
def test_best_weights_are_restored_and_rates_reduced_by_replica(together):
    def callbacks():
        return [
            ReduceLROnPlateau("val_accuracy", factor=0.1, patience=1, min_delta=0.01),
            EarlyStopping("val_accuracy", patience=3, restore_best_weights=True),
        ]

    options = {"epochs": 6, "validation_split": 0.4}
    model, history = replicated(mlp, together, callbacks=callbacks(), **options)
    rates = set()
    for replica, seed in enumerate(SEEDS):
        one, alone = single(mlp, seed, callbacks=callbacks(), **options)
        np.testing.assert_allclose(history.replicas[replica]["learning_rate"], alone.history["learning_rate"])
        np.testing.assert_allclose(weights_of(model, replica)[0], one.get_weights()[0], atol=CLOSE)
        rates.add(tuple(np.round(alone.history["learning_rate"], 6)))
    assert len(rates) > 1


def test_each_replica_has_a_file_which_load_weights_reads(tmp_path):
    path = tmp_path / "best.weights.h5"
    saving = ModelCheckpoint(path, save_weights_only=True)
    model, _ = replicated(mlp, True, epochs=2, callbacks=[saving])
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "best.replica-1.weights.h5", "best.replica-2.weights.h5", "best.weights.h5",
    ]  # fmt: skip
    before = [weights_of(model, replica) for replica in range(3)]
    model.fit(*rows_for(model), epochs=1, verbose=0)
    model.load_weights(path)
    for replica in range(3):
        np.testing.assert_array_equal(weights_of(model, replica)[0], before[replica][0])
    model.save_weights(path)  # of the first alone: the other files are from before
    model.load_weights(path)
    for replica in range(3):
        np.testing.assert_array_equal(weights_of(model, replica)[0], before[0][0])


def test_a_replica_whose_loss_is_nan_stops_alone():
    model = compiled(mlp)
    model._programs.replicate(replication := Replication(SEEDS, together=True))
    x, y = rows_for(model)
    model.predict(x, verbose=0)
    with replication.as_one(1, model.learner.variables):
        model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    history = model.fit(x, y, epochs=3, batch_size=16, verbose=0, callbacks=[TerminateOnNaN()])
    assert [len(one["loss"]) for one in history.replicas] == [3, 1, 3]
    assert np.isfinite([one["loss"][-1] for one in history.replicas]).tolist() == [True, False, True]
    _, alone = single(mlp, SEEDS[2], epochs=3)
    np.testing.assert_allclose(history.replicas[2]["loss"], alone.history["loss"], atol=CLOSE)


def test_a_callback_that_stops_or_sets_a_rate_once_does_so_for_all():
    class Once(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.5

        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    model, history = replicated(mlp, True, epochs=5, callbacks=[Once()])
    assert [len(one["loss"]) for one in history.replicas] == [2, 2, 2]
    for replica in range(3):
        with model.learner.as_replica(replica):
            assert float(model.optimizer.learning_rate) == 0.5
    assert model.stop_training


def test_a_callback_may_stop_all_before_a_batch():
    class Once(Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.stop_training = batch == 2

    model, history = replicated(mlp, True, epochs=2, callbacks=[Once()])
    assert [len(one["loss"]) for one in history.replicas] == [1, 1, 1]
    assert model.stop_training


def test_a_list_of_callbacks_serves_again():
    model = compiled(mlp)
    model._programs.replicate(Replication(SEEDS))
    given = CallbackList([EarlyStopping("loss")], add_history=True, model=model)
    for _ in range(2):
        model.fit(*rows_for(model), verbose=0, callbacks=given)
        assert len(given.callbacks) == 2


def test_a_callback_of_batches_sees_means():
    class Batches(Callback):
        def __init__(self):
            self.seen = []

        def on_train_batch_end(self, batch, logs=None):
            self.seen.append((batch, len(logs["loss"].values)))

    watcher = Batches()
    replicated(mlp, True, epochs=1, callbacks=[watcher])
    assert watcher.seen == [(step, 3) for step in range(5)]


@pytest.mark.parametrize("together", [True, False])
def test_a_callback_of_a_replica_evaluates_and_predicts_it_alone(together):
    class Evaluates(Callback):
        per_replica = True

        def __init__(self):
            self.found = found

        def __deepcopy__(self, memo):
            return Evaluates()

        def on_epoch_end(self, epoch, logs=None):
            x, y = rows_for(self.model)
            loss = -np.log(self.model.predict(x, verbose=0)[np.arange(len(y)), y]).mean()
            found.append((self.model.evaluate(x, y, verbose=0)[0], loss))

    found = []
    model, _ = replicated(mlp, together, epochs=1, callbacks=[Evaluates()])
    scores, losses = zip(*found, strict=True)
    assert all(type(score) is float for score in scores)
    np.testing.assert_allclose(scores, losses, atol=CLOSE)
    np.testing.assert_allclose(model.evaluate(*rows_for(model), verbose=0)[0].values, losses, atol=CLOSE)


# ---- data and programs


@pytest.mark.parametrize("together", [True, False])
def test_streamed_batches_are_the_same_for_all(together):
    model = compiled(mlp)
    model._programs.replicate(Replication(SEEDS, together=together))
    x, y = rows_for(model)
    stream = [(x[:32], y[:32]), (x[32:], y[32:])]
    history = model.fit((batch for _ in range(2) for batch in stream), steps_per_epoch=2, epochs=2, verbose=0)
    set_random_seed(SEEDS[1])
    one = compiled(mlp)
    alone = one.fit((batch for _ in range(2) for batch in stream), steps_per_epoch=2, epochs=2, verbose=0)
    np.testing.assert_allclose(history.replicas[1]["loss"], alone.history["loss"], atol=CLOSE)


@pytest.mark.parametrize("together", [True, False])
def test_a_custom_step_and_several_outputs(together):
    class Custom(cornu.Model):
        def train_step(self, data):
            x, y = data
            return super().train_step((x, y)) | {"twice": 2.0 * self.objective.total.result()}

    def build():
        given = cornu.Input((6,))
        inner = layers.Dropout(0.2)(layers.Dense(4, "tanh")(given))
        return Custom(given, [layers.Dense(1, name="a")(inner), layers.Dense(1, name="b")(inner)])

    def trained(replication=None):
        model = build()
        model.compile("sgd", "mse", loss_weights=[1.0, 0.5])
        if replication is not None:
            model._programs.replicate(replication)
        x, y = rows_for(model)
        return model.fit(x, [y, 1 - y], epochs=2, batch_size=16, verbose=0)

    history = trained(Replication(SEEDS, together=together))
    for replica, seed in enumerate(SEEDS):
        set_random_seed(seed)
        alone = trained()
        for name, values in alone.history.items():
            np.testing.assert_allclose(history.replicas[replica][name], values, atol=CLOSE, err_msg=name)
        assert "twice" in alone.history


def test_a_batch_trains_all_and_returns_means():
    model = compiled(mlp)
    model._programs.replicate(Replication(SEEDS))
    loss, _ = model.train_on_batch(*rows_for(model))
    assert len(loss.values) == 3
    assert loss.deviation > 0


def test_what_cannot_be_replicated_says_so(tmp_path):
    model = mlp()
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    model._programs.replicate(Replication(SEEDS))
    with pytest.raises(NotImplementedError, match="run_eagerly"):
        model.fit(*rows_for(model), verbose=0)
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(NotImplementedError, match="backup"):
        model.fit(*rows_for(model), verbose=0, callbacks=[cornu.callbacks.BackupAndRestore(tmp_path / "kept")])


# ---- seeds and names of files


def test_seeds_follow_that_of_the_program():
    assert seeds_of(3, 5) == [5, 6, 7]
    set_random_seed(11)
    assert seeds_of(3, None) == [None, 12, 13]


def test_a_replicas_file_keeps_its_folder_and_endings(tmp_path):
    assert replica_path(tmp_path / "a.{epoch:02d}.keras", 3) == str(tmp_path / "a.{epoch:02d}.replica-3.keras")


def test_numbers_that_jax_draws_are_those_of_single_runs():
    class Noise(layers.Layer):
        def build(self, shape):
            self.seed = cornu.random.SeedGenerator()

        def call(self, inputs, training=False):
            noise = cornu.random.gamma(inputs.shape, 2.0, seed=self.seed)
            return inputs * noise + cornu.random.beta((4,), 1.0, 2.0, seed=self.seed).sum()

    def build():
        return cornu.Sequential([cornu.Input((6,)), Noise(), layers.Dense(2, "softmax")])

    _, history = replicated(build, True, epochs=2)
    for replica, seed in enumerate(SEEDS):
        _, alone = single(build, seed, epochs=2)
        np.testing.assert_allclose(history.replicas[replica]["loss"], alone.history["loss"], atol=CLOSE)
