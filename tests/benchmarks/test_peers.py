"""The peers that are installed here compute the same thing, and the workers do what they are told."""

import importlib
import sys

import numpy as np
import pytest
from benchmarks.peers import network_graphs, tasks
from benchmarks.peers_table import PEERS

from benchmarks import environments, workers

ROWS, BATCH = 70, 32  # two whole batches and a short one
#: No dropout and no shuffling differences that matter: with one batch per epoch, all peers do the same arithmetic.
PLAIN = {
    name: tasks.Task(name, shape, layers, optimizer, ROWS, ROWS)
    for name, shape, layers, optimizer in [
        ("sgd", tasks.FLAT, [("dense", 8, "sigmoid"), tasks.OUT], tasks.SGD),
        ("rmsprop", tasks.FLAT, [("dense", 8, "relu"), tasks.OUT], tasks.RMSPROP),
        ("adam", tasks.SMALL, [("dense", 8, "relu"), ("dense", 6, "relu"), tasks.OUT], tasks.ADAM),
        (
            "adadelta",
            tasks.IMAGE,
            [("conv", 2, "relu"), ("pool",), ("flatten",), ("dense", 4, "relu"), tasks.OUT],
            tasks.ADADELTA,
        ),
        (
            "norm",
            tasks.COLOURED,
            [("conv", 2, None), ("norm",), ("relu",), ("pool",), ("flatten",), tasks.OUT],
            tasks.ADAM,
        ),
    ]
}
SEQUENCES = {
    "lstm": ((7, 3), [("lstm", 4), tasks.OUT]),
    "gru": ((7, 3), [("gru", 4), tasks.OUT]),
    "birnn": ((7, 3), [("birnn", 4), tasks.OUT]),
    "tokens": ((9,), [("embedding", 30, 4), ("lstm", 4), tasks.OUT]),
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (ROWS, 28, 28)), random.integers(0, 10, ROWS)
    np.savez(path, x=x.astype("uint8"), y=y.astype("uint8"))
    return str(path)


def make(kind):
    if kind in ("torch", "jax"):
        module = pytest.importorskip(kind)
        if kind == "torch":
            module.set_num_threads(1)  # its threads wait busily: on a loaded machine two are far slower than one
        return importlib.import_module(f"benchmarks.peers.{kind}_peer").Peer()
    pytest.importorskip(kind)
    return importlib.import_module("benchmarks.peers.keras_peer").Peer(kind)


@pytest.fixture(scope="module")
def peers():
    return {}


def trained(kind, task, batch, digits, epochs):
    peer = make(kind)
    x, y = tasks.data(task, digits, ROWS)
    peer.build(task, batch, x, y)
    peer.reset(1)
    before = peer.predict(ROWS)
    seconds, losses = peer.epochs(epochs)
    assert len(seconds) == len(losses) == epochs
    assert min(seconds) > 0
    return before, losses, peer


@pytest.mark.parametrize("kind", ["keras", "torch", "jax"])
@pytest.mark.parametrize("name", PLAIN)
def test_peers_compute_the_same_thing(kind, name, digits, peers):
    if name not in peers:
        peers[name] = trained("cornu", PLAIN[name], ROWS, digits, 3)
    before, losses, peer = trained(kind, PLAIN[name], ROWS, digits, 3)
    ours_before, our_losses, ours = peers[name]
    np.testing.assert_allclose(before, ours_before, atol=2e-5)
    # torch's RMSprop adds the epsilon outside the root.
    np.testing.assert_allclose(losses, our_losses, rtol=2e-2 if (kind, name) == ("torch", "rmsprop") else 1e-3)
    np.testing.assert_allclose(peer.evaluate(ROWS)[0], ours.evaluate(ROWS)[0], rtol=2e-2)


@pytest.mark.parametrize("kind", ["keras", "torch", "jax"])
@pytest.mark.parametrize("name", SEQUENCES)
def test_peers_compute_the_same_sequences(kind, name, digits, peers):
    if kind != "torch" and name != "lstm":
        pytest.skip("the JAX loop has an LSTM only, and Keras on JAX compiles the others for long")
    shape, layers = SEQUENCES[name]
    task = tasks.Task(name, shape, layers, tasks.ADAM, ROWS, ROWS)
    if name not in peers:
        peers[name] = trained("cornu", task, ROWS, digits, 3)
    before, losses, _ = trained(kind, task, ROWS, digits, 3)
    np.testing.assert_allclose(before, peers[name][0], atol=2e-5)
    np.testing.assert_allclose(losses, peers[name][1], rtol=1e-3)


def every_node():
    graph = network_graphs.Graph((8, 8, 3))
    x = graph.activation(graph.norm(graph.conv(0, 4, 3, strides=2, bias=False)), "leaky_relu")
    y = graph.activation(graph.depthwise(x, 3, multiplier=2), "swish")
    y = graph.separable(graph.conv(y, 8, 3, groups=2, dilation=2), 4, 3)
    y = graph.multiply(y, graph.activation(graph.conv(graph.average(y, keepdims=True), 4, 1), "sigmoid"))
    x = graph.transposed(graph.pool(graph.add(x, y), "max", 3, 2, "same"), 4, 3, 2)
    x = graph.pool(graph.upsample(graph.concatenate(x, y), 2, "bilinear"), "average", 2, 2)
    x = graph.reshape(graph.dense(graph.flatten(x), 8), (2, 2, 2))
    graph.activation(graph.dense(graph.average(x), 3), "softmax")
    return graph


@pytest.mark.parametrize("kind", ["keras", "torch"])
def test_peers_compute_the_same_networks(kind, peers):
    task = tasks.Task("every node", (8, 8, 3), every_node(), tasks.ADAM, 6, 6)
    x, y = tasks.data(task, "", 6)
    for each in ("cornu", kind):
        if each in peers:
            continue
        peer = make(each)
        peer.build(task, 6, x, y)
        assert peer.parameters() == tasks.parameters(task)
        peer.reset(1)
        if each == "torch":
            peer.use_keras_padding(True)
        peers[each] = peer.predict_all(), peer.epochs(2)[1]
    np.testing.assert_allclose(peers[kind][0], peers["cornu"][0], atol=2e-5)
    np.testing.assert_allclose(peers[kind][1], peers["cornu"][1], rtol=5e-3)


@pytest.mark.parametrize("kind", ["cornu", "torch", "jax"])
def test_a_short_last_batch_counts(kind, digits):
    """At rate 0 nothing is learned: the epoch's loss is that of all rows, whatever the batches."""
    still = PLAIN["sgd"]._replace(optimizer=("SGD", 0.0))
    _, losses, peer = trained(kind, still, BATCH, digits, 1)
    assert losses[0] == pytest.approx(peer.evaluate(ROWS)[0], rel=1e-5)


@pytest.mark.parametrize("kind", ["cornu", "torch", "jax"])
def test_reset_begins_anew(kind, digits):
    _, losses, peer = trained(kind, PLAIN["adam"], ROWS, digits, 2)
    peer.reset(1)
    np.testing.assert_allclose(peer.epochs(2)[1], losses, rtol=1e-5)
    peer.reset(2)
    assert peer.epochs(1)[1][0] != pytest.approx(losses[0], rel=1e-5)


def test_more_rows_than_there_are_repeat(digits):
    x, y = tasks.data(PLAIN["adam"], digits, 2 * ROWS)
    assert (x.shape, y.shape, x.dtype, y.dtype) == ((140, 64), (140, 10), "float32", "float32")
    np.testing.assert_array_equal(x[:ROWS], x[ROWS:])
    assert 0 <= x.min() < x.max() <= 1


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    made = workers.Worker(PEERS["cornu"], sys.executable, tmp_path_factory.mktemp("cache"))
    yield made
    made.close()
    assert made.process.returncode == 0


def test_a_worker_does_what_it_is_told(worker, digits):
    assert worker("versions")["cornu"]
    assert worker("build", name="mlp-8x1", batch=BATCH, rows=ROWS, path=digits)["parameters"] == 784 * 8 + 8 + 80 + 10
    found = worker("epochs", count=2)
    assert len(found["seconds"]) == len(found["losses"]) == 2
    assert len(worker("predict", rows=3, count=4)["seconds"]) == 4
    memory = worker("memory")
    assert 0 < memory["now"] <= memory["most"]


def test_an_error_in_a_worker_is_told_and_it_lives_on(worker):
    with pytest.raises(workers.WorkerError, match="no_such_command"):
        worker("no_such_command")
    assert worker("versions")["python"]


def test_the_end_of_a_worker_is_told_with_its_last_words(tmp_path):
    with pytest.raises(workers.WorkerError, match="No module named"):
        workers.Worker(PEERS["cornu"]._replace(kind="no_such_module"), sys.executable, tmp_path)


def test_workers_take_turns():
    class Recorder:
        def __init__(self, name):
            self.name = name

    calls = []

    def work(recorder):
        calls.append(recorder.name)
        return [float(len(calls))]

    found = workers.take_turns({name: Recorder(name) for name in "ab"}, 3, work)
    assert calls == ["a", "b"] * 3
    assert found == {"a": [1.0, 3.0, 5.0], "b": [2.0, 4.0, 6.0]}


def test_a_peer_whose_python_is_absent_is_skipped_with_its_reason(tmp_path, monkeypatch):
    peer = PEERS["keras2"]._replace(python="python0.1")
    monkeypatch.setitem(PEERS, "keras2", peer)
    pythons, missing = environments.make_all(["cornu", "keras2"], tmp_path, {"cornu": "/some/python"})
    assert pythons == {"cornu": "/some/python"}
    assert missing == {"keras2": "it needs `python0.1`, which is not there"}


def test_new_requirements_are_a_new_environment(tmp_path, monkeypatch):
    (tmp_path / "jax.txt").write_text("jax==1\n")
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    first = environments.folder_of(PEERS["jax"], tmp_path)
    assert environments.folder_of(PEERS["jax"], tmp_path) == first
    (tmp_path / "jax.txt").write_text("jax==2\n")
    assert environments.folder_of(PEERS["jax"], tmp_path) != first


def test_every_peer_has_pinned_requirements():
    for name in PEERS:
        text = (environments.REQUIREMENTS / f"{name}.txt").read_text()
        assert "==" in text, name


def test_a_process_has_none_of_the_users_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setenv("JAX_ENABLE_X64", "1")
    found = workers.environment(PEERS["keras-jax"], tmp_path)
    assert found["KERAS_BACKEND"] == "jax"
    assert "JAX_ENABLE_X64" not in found
    assert found["KERAS_HOME"].startswith(str(tmp_path))
