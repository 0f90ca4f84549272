"""The public class: numbers that differ by replica, predictions, files, and what it says about mistakes."""

import csv

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.callbacks.dashboard.run_files import Follower
from cornu.core.seeds import set_random_seed
from cornu.visuals import svg

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
Y = np.eye(2, dtype="float32")[(X[:, 0] > 0).astype(int)]
CLOSE = 2e-5


def build(rate=0.3):
    return cornu.Sequential(
        [cornu.Input((4,)), layers.Dense(8, "tanh"), layers.Dropout(rate), layers.Dense(2, "softmax")]
    )


def replicas_of(n=2, loss="categorical_crossentropy", optimizer="sgd", **numbers):
    replicas = cornu.Replicas(build, n, seed=3, **numbers)
    replicas.compile(optimizer, loss, metrics=["accuracy"])
    return replicas


def losses_alone(seed, optimizer="sgd", loss="categorical_crossentropy", rate=0.3, **options):
    set_random_seed(seed)
    model = build(rate)
    model.compile(optimizer, loss, **options)
    return model.fit(X, Y, epochs=2, verbose=0).history["loss"]


def check(replicas, *alone):
    history = replicas.fit(X, Y, epochs=2, verbose=0)
    for replica, losses in enumerate(alone):
        np.testing.assert_allclose(history.replicas[replica]["loss"], losses, atol=CLOSE)


def test_learning_rates_differ():
    sgd = cornu.optimizers.SGD
    check(replicas_of(learning_rate=[0.5, 0.0]), losses_alone(3, sgd(0.5)), losses_alone(4, sgd(0.0)))


def test_weight_decays_and_momenta_differ():
    def made(decay):
        return cornu.optimizers.AdamW(0.1, weight_decay=decay, beta_1=0.5 + decay)

    replicas = replicas_of(optimizer=made(0.1), weight_decay=[0.3, 0.0], beta_1=[0.8, 0.5])
    check(replicas, losses_alone(3, made(0.3)), losses_alone(4, made(0.0)))


def test_dropout_rates_differ():
    check(replicas_of(dropout=[0.1, 0.6]), losses_alone(3, rate=0.1), losses_alone(4, rate=0.6))


@pytest.mark.parametrize("kind", [layers.GaussianDropout, layers.AlphaDropout])
def test_rates_of_other_dropout_layers_differ(kind):
    def build(rate):
        return cornu.Sequential([cornu.Input((4,)), kind(rate), layers.Dense(2)])

    replicas = cornu.Replicas(lambda: build(0.5), 2, seed=3, dropout=[0.2, 0.4])
    replicas.compile("sgd", "mse")
    history = replicas.fit(X, Y, verbose=0)
    for replica, rate in enumerate([0.2, 0.4]):
        set_random_seed(3 + replica)
        model = build(rate)
        model.compile("sgd", "mse")
        assert history.replicas[replica]["loss"] == pytest.approx(model.fit(X, Y, verbose=0).history["loss"], abs=CLOSE)


def test_label_smoothing_differs():
    loss = cornu.losses.CategoricalCrossentropy
    replicas = replicas_of(loss=loss(), label_smoothing=[0.0, 0.2])
    check(replicas, losses_alone(3, loss=loss()), losses_alone(4, loss=loss(label_smoothing=0.2)))


def test_loss_weights_differ():
    def build():
        given = cornu.Input((4,))
        return cornu.Model(given, [layers.Dense(2, name="a")(given), layers.Dense(2, name="b")(given)])

    weights = [[1.0, 0.0], {"a": 0.5, "b": 2.0}]
    replicas = cornu.Replicas(build, 2, seed=3, loss_weights=weights)
    replicas.compile("sgd", "mse")
    history = replicas.fit(X, [Y, Y], verbose=0)
    for replica, weight in enumerate(weights):
        set_random_seed(3 + replica)
        model = build()
        model.compile("sgd", "mse", loss_weights=weight)
        alone = model.fit(X, [Y, Y], verbose=0).history["loss"]
        assert history.replicas[replica]["loss"] == pytest.approx(alone, abs=CLOSE)


def test_predictions_are_means_or_those_of_all():
    replicas = replicas_of(3)
    replicas.fit(X, Y, verbose=0)
    every = replicas.predict(X[:5], verbose=0, replicas="all")
    assert every.shape == (3, 5, 2)
    np.testing.assert_allclose(replicas.predict(X[:5], verbose=0), every.mean(0), atol=1e-6)
    np.testing.assert_array_equal(replicas.model.predict(X[:5], verbose=0), every[0])
    with replicas.replica(2) as model:
        np.testing.assert_array_equal(model.predict(X[:5], verbose=0), every[2])
    assert len(replicas.get_weights()) == len(replicas) == 3


def test_files_hold_one_replica_or_all(tmp_path):
    replicas = replicas_of(learning_rate=[0.001, 0.5])
    replicas.fit(X, Y, epochs=3, verbose=0)
    assert replicas.best() == 1
    assert replicas.best("accuracy") in (0, 1)
    every = replicas.predict(X, verbose=0, replicas="all")
    for name, which in (("first", 0), ("best", 1), (0, 0), (-1, 1)):
        replicas.save(tmp_path / "one.keras", replica=name)
        found = cornu.models.load_model(tmp_path / "one.keras").predict(X, verbose=0)
        np.testing.assert_allclose(found, every[which], atol=1e-6)
    replicas.save(tmp_path / "m.keras", replica="all")
    found = cornu.models.load_model(tmp_path / "m.replica-1.keras").predict(X, verbose=0)
    np.testing.assert_allclose(found, every[1], atol=1e-6)


def test_evaluate_has_the_values_of_each():
    replicas = replicas_of()
    replicas.fit(X, Y, verbose=0)
    scores = replicas.evaluate(X, Y, verbose=0)
    for replica, own in enumerate(replicas.values_of(scores)):
        with replicas.replica(replica) as model:
            assert model.evaluate(X, Y, verbose=0) == own
        assert [score.values[replica] for score in scores] == own
    named = replicas.evaluate(X, Y, verbose=0, return_dict=True)
    assert list(named) == ["loss", "accuracy"]


def test_a_function_draws_nothing_from_the_programs_generator():
    np.random.seed(1)
    expected = np.random.rand()
    np.random.seed(1)
    replicas = replicas_of()
    replicas.fit(X, Y, verbose=0)
    assert np.random.rand() == expected


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match="1 or more"):
        cornu.Replicas(build, 0)
    with pytest.raises(TypeError, match="a model, or a function"):
        cornu.Replicas(3, 2)
    with pytest.raises(TypeError, match="returned 3"):
        cornu.Replicas(lambda: 3, 2)
    with pytest.raises(ValueError, match="learning_rate needs 2 values"):
        cornu.Replicas(build, 2, learning_rate=[0.1])
    with pytest.raises(ValueError, match="learning_rate needs 2 values"):
        cornu.Replicas(build, 2, learning_rate=0.1)
    with pytest.raises(ValueError, match="Did you mean 'momentum'"):
        replicas_of(momentun=[0.1, 0.2])
    with pytest.raises(ValueError, match="follows a schedule"):
        replicas_of(optimizer=cornu.optimizers.SGD(lambda step: 0.1), learning_rate=[0.1, 0.2])
    with pytest.raises(ValueError, match="no loss has label_smoothing"):
        replicas_of(loss="mse", label_smoothing=[0.1, 0.2]).fit(X, Y, verbose=0)
    replicas = replicas_of()
    with pytest.raises(RuntimeError, match="before fit"):
        replicas.best()
    with pytest.raises(IndexError, match="numbered from 0"), replicas.replica(2):
        pass
    with pytest.raises(ValueError, match="'mean' or 'all'"):
        replicas.predict(X, replicas="none")
    with pytest.raises(ValueError, match="'first', 'best' or 'all'"):
        replicas.save("a.keras", replica="last")
    plain = cornu.Replicas(lambda: cornu.Sequential([cornu.Input((4,)), layers.Dense(2)]), 2, dropout=[0.1, 0.2])
    plain.compile("sgd", "mse")
    with pytest.raises(ValueError, match="the model has none"):
        plain.fit(X, Y, verbose=0)


# ---- what is drawn and written


def test_reports_curves_dashboards_and_tables_show_deviations(tmp_path, capsys):
    curves, table = cornu.callbacks.PlotLosses(), cornu.callbacks.CSVLogger(tmp_path / "log.csv")
    live = cornu.callbacks.Dashboard(name="replicas", folder=tmp_path / "runs", port=0)
    replicas = replicas_of(3)
    history = replicas.fit(X, Y, epochs=3, verbose=0, validation_split=0.25, callbacks=[curves, table, live])
    live.server.close()
    replicas.model.report(tmp_path / "report.html", X, Y)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('<path class="band train"') == page.count('<path class="band held-out"') == 2
    accuracy = replicas.evaluate(X, Y, verbose=0)[1]
    assert f"{svg.number(round(float(accuracy), 4))} ± {svg.number(round(accuracy.deviation, 4))}" in page
    rows = list(csv.DictReader((tmp_path / "log.csv").read_text().splitlines()))
    assert [float(row["val_loss_deviation"]) for row in rows] == [one.deviation for one in history.history["val_loss"]]
    assert [float(row["loss"]) for row in rows] == [float(one) for one in history.history["loss"]]
    told = [line for line in Follower(tmp_path / "runs").news() if line["kind"] == "epoch"]
    assert [line["deviations"]["loss"] for line in told] == [one.deviation for one in history.history["loss"]]
    assert [line["logs"]["loss"] for line in told] == [float(one) for one in history.history["loss"]]


def test_figures_have_bands():
    pytest.importorskip("matplotlib")
    curves = cornu.callbacks.PlotLosses()
    replicas_of().fit(X, Y, epochs=2, verbose=0, validation_split=0.25, callbacks=[curves])
    assert [len(chart.collections) for chart in curves.figure().axes] == [2, 2]
