import struct

import numpy as np
import pytest

import cornu
from cornu import callbacks, layers, utils
from cornu.callbacks import TensorBoard
from cornu.callbacks.tensorboard.event_file import EventFile, histogram, scalar
from cornu.core.crc32c import crc32c


def checked_sum(data):
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def records(data):
    """Split a file into its records, checking lengths and checksums."""
    while data:
        length = struct.unpack("<Q", data[:8])[0]
        assert data[8:12] == checked_sum(data[:8])
        body, end = data[12 : 12 + length], 16 + length
        assert data[12 + length : end] == checked_sum(body)
        yield body
        data = data[end:]


def fields(message):
    """Decode a protocol-buffer message into pairs of field number and raw value."""
    position = 0

    def varint():
        nonlocal position
        number = shift = 0
        while True:
            byte = message[position]
            position += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while position < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
            continue
        size = varint() if kind == 2 else {1: 8, 5: 4}[kind]
        yield key >> 3, message[position : position + size]
        position += size


def scalars(folder):
    """Return the numbers in a folder's only event file: {tag: [(step, value), ...]}."""
    (path,) = folder.iterdir()
    first, *events = (dict(fields(body)) for body in records(path.read_bytes()))
    assert first[3] == b"brain.Event:2"
    found = {}
    for event in events:
        for _, value in fields(event.get(5, b"")):  # the graph's event has none
            parts = dict(fields(value))
            if 2 in parts:
                found.setdefault(parts[1].decode(), []).append((event[2], struct.unpack("<f", parts[2])[0]))
            else:
                found.setdefault(parts[1].decode(), []).append((event[2], dict(fields(parts[5]))))
    return found


def trained(callback, **options):
    model = cornu.Sequential([layers.Input((2,)), layers.Dense(1, name="d")], name="s")
    model.compile(cornu.optimizers.SGD(0.25), "mse", metrics=["mae"])
    x = np.random.rand(40, 2).astype("float32")
    run = {"batch_size": 10, "epochs": 2, "verbose": 0, **options}
    return model, model.fit(x, x[:, :1], callbacks=[callback], **run).history


def test_curves_of_training_and_validation(tmp_path):
    _, history = trained(TensorBoard(tmp_path), validation_split=0.5)
    train, validation = scalars(tmp_path / "train"), scalars(tmp_path / "validation")
    assert set(train) == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}
    assert set(validation) == {"epoch_loss", "epoch_mae"}
    np.testing.assert_allclose(train["epoch_loss"], list(enumerate(history["loss"])), rtol=1e-6)
    np.testing.assert_allclose(validation["epoch_mae"], list(enumerate(history["val_mae"])), rtol=1e-6)
    assert train["epoch_learning_rate"] == [(0, 0.25), (1, 0.25)]


@pytest.mark.parametrize(("frequency", "steps"), [("batch", [1, 2, 3, 4, 5, 6, 7, 8]), (3, [3, 6])])
def test_batches_are_written_as_often_as_asked(tmp_path, frequency, steps):
    trained(TensorBoard(tmp_path, update_freq=frequency))
    assert [step for step, _ in scalars(tmp_path / "train")["batch_loss"]] == steps


def test_distributions_of_weights(tmp_path):
    model, _ = trained(TensorBoard(tmp_path, histogram_freq=2, write_steps_per_second=True), epochs=3)
    found = scalars(tmp_path / "train")
    assert [step for step, _ in found["s/d/kernel/histogram"]] == [0, 2]
    last = found["s/d/kernel/histogram"][-1][1]
    kernel = model.get_weights()[0]
    numbers = [struct.unpack("<d", last[i])[0] for i in range(1, 6)]
    np.testing.assert_allclose(numbers, [kernel.min(), kernel.max(), 2, kernel.sum(), (kernel**2).sum()], rtol=1e-6)
    assert np.frombuffer(last[7]).sum() == 2
    assert all(value > 0 for _, value in found["epoch_steps_per_second"])


def test_an_evaluation_of_its_own(tmp_path):
    callback = TensorBoard(tmp_path)
    model, _ = trained(callback)
    x = np.ones((4, 2), "float32")
    loss = model.evaluate(x, x[:, :1], verbose=0, callbacks=[callback])[0]
    assert scalars(tmp_path / "validation")["evaluation_loss_vs_iterations"] == [(8, pytest.approx(loss))]


def test_what_is_not_written_warns():
    with pytest.warns(UserWarning, match="profile_batch, embeddings_freq has no effect"):
        TensorBoard(profile_batch=2, embeddings_freq=1)
    with pytest.raises(ValueError, match="update_freq must be 'epoch', 'batch' or a number"):
        TensorBoard(update_freq="epochs")


@pytest.mark.old_spellings
def test_old_keywords_that_steer_nothing_are_accepted():
    assert TensorBoard("there", batch_size=32, write_grads=True).log_dir.name == "there"


def test_values_that_are_not_finite(tmp_path):
    file = EventFile(tmp_path)
    file.write(0, [histogram("h", [np.nan, np.inf]), scalar("s", np.nan)])
    assert np.isnan(scalars(tmp_path)["s"][0][1])


# ---- what TensorBoard itself reads


def accumulated(folder):
    """Return the real TensorBoard's reading of a folder's event files."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    return accumulator.EventAccumulator(str(folder), size_guidance={"histograms": 0, "images": 0}).Reload()


def plugin(kind, folder):
    """Return a plugin of the real TensorBoard that serves a folder, and the context of a request."""
    processing = "tensorboard.backend.event_processing."
    provider = pytest.importorskip(f"{processing}data_provider")
    multiplexer = pytest.importorskip(f"{processing}plugin_event_multiplexer").EventMultiplexer()
    base = pytest.importorskip("tensorboard.plugins.base_plugin")
    multiplexer.AddRunsFromDirectory(str(folder)).Reload()
    data = provider.MultiplexerDataProvider(multiplexer, str(folder))
    context = pytest.importorskip("tensorboard.context").RequestContext()
    return kind(base.TBContext(data_provider=data, logdir=str(folder), multiplexer=multiplexer)), context


def network():
    """Return a model with a branch, an inner model, and a name that TensorFlow would not take."""
    image = cornu.Input((6, 6, 1), name="image")
    inner = cornu.Sequential(
        [layers.Input((6, 6, 1)), layers.Conv2D(3, 3, name="conv"), layers.Flatten(name="flat")], name="inner"
    )
    joined = layers.Concatenate(name="both")([inner(image), layers.Flatten(name="other flat")(image)])
    model = cornu.Model(image, layers.Dense(2, activation="softmax", name="out")(joined), name="net")
    model.compile(cornu.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train_network(callback):
    x, y = np.random.rand(24, 6, 6, 1).astype("float32"), np.arange(24) % 2
    options = {"batch_size": 8, "epochs": 2, "verbose": 0, "validation_split": 1 / 3}
    model = network()
    return model, model.fit(x, y, callbacks=[callback], **options).history


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Give the folder of two runs, and model and history of the second."""
    folder = tmp_path_factory.mktemp("logs")
    train_network(TensorBoard(folder / "first", hparams={"units": 3, "augmented": False, "shape": (6, 6)}))
    options = {"histogram_freq": 1, "write_images": True, "update_freq": 1, "hparams": {"units": 4}}
    return folder, *train_network(TensorBoard(folder / "second", **options))


def test_tensorboard_reads_curves_and_distributions(logs):
    folder, model, history = logs
    train, validation = accumulated(folder / "second" / "train"), accumulated(folder / "second" / "validation")
    assert {"epoch_loss", "epoch_accuracy", "epoch_learning_rate", "batch_loss"} <= set(train.Tags()["scalars"])
    points = [(event.step, event.value) for event in train.Scalars("epoch_loss")]
    np.testing.assert_allclose(points, list(enumerate(history["loss"])), rtol=1e-6)
    points = [(event.step, event.value) for event in validation.Scalars("epoch_accuracy")]
    np.testing.assert_allclose(points, list(enumerate(history["val_accuracy"])), rtol=1e-6)
    weights = {variable.path: variable.numpy() for variable in model.weights}
    assert set(train.Tags()["histograms"]) == {f"{path}/histogram" for path in weights}
    last = train.Histograms("out/kernel/histogram")[-1]
    assert (last.step, last.histogram_value.num) == (1, weights["out/kernel"].size)
    np.testing.assert_allclose(last.histogram_value.max, weights["out/kernel"].max(), rtol=1e-6)


def test_tensorboard_reads_pictures_of_kernels(logs):
    train = accumulated(logs[0] / "second" / "train")
    (name,) = [tag for tag in train.Tags()["images"] if "conv" in tag]
    image = train.Images(name)[-1]
    assert (image.height, image.width) == (3, 3 * 4 - 1)  # three filters, a line between them
    assert image.encoded_image_string.startswith(b"\x89PNG")


def test_tensorboard_reads_the_graph(logs):
    graph = accumulated(logs[0] / "first" / "train").Graph()
    nodes = {node.name: node for node in graph.node}
    assert set(nodes) == {"image", "inner/conv", "inner/flat", "other_flat", "both", "out"}
    assert list(nodes["both"].input) == ["inner/flat", "other_flat"]
    assert list(nodes["inner/conv"].input) == ["image"]
    assert (nodes["inner/conv"].op, nodes["out"].attr["output_shape"].s) == ("Conv2D", b"(None, 2)")
    graphs = pytest.importorskip("tensorboard.plugins.graph.graphs_plugin")
    shown, context = plugin(graphs.GraphsPlugin, logs[0])
    assert shown.info_impl(context, "")["first/train"]["run_graph"]
    assert "inner/conv" in shown.graph_impl(context, "first/train", None, False, "")[0]


def test_tensorboard_lists_hyperparameters_and_what_they_led_to(logs):
    hparams = pytest.importorskip("tensorboard.plugins.hparams.hparams_plugin")
    listing = pytest.importorskip("tensorboard.plugins.hparams.list_session_groups")
    requests = pytest.importorskip("tensorboard.plugins.hparams.api_pb2")
    shown, context = plugin(hparams.HParamsPlugin, logs[0])
    experiment = shown._context.experiment_from_metadata(
        context, "", True, shown._context.hparams_metadata(context, ""), []
    )
    metrics = {(one.name.group, one.name.tag) for one in experiment.metric_infos}
    assert {("train", "epoch_loss"), ("validation", "epoch_accuracy")} <= metrics
    request = requests.ListSessionGroupsRequest(
        allowed_statuses=[requests.STATUS_SUCCESS],
        slice_size=9,
        col_params=[requests.ColParams(metric=one.name) for one in experiment.metric_infos],
    )
    found = listing.Handler(context, shown._context, "", request).run()
    groups = {one.name: one for one in found.session_groups}
    assert set(groups) == {"first", "second"}
    values = {name: value.WhichOneof("kind") for name, value in groups["first"].hparams.items()}
    numbers = ("epochs", "batch_size", "learning_rate", "parameters", "units")
    texts = {"optimizer": "string_value", "loss": "string_value", "shape": "string_value"}
    assert values == {**dict.fromkeys(numbers, "number_value"), **texts, "augmented": "bool_value"}
    assert groups["second"].hparams["units"].number_value == 4
    assert groups["second"].hparams["optimizer"].string_value == "Adam"
    assert any(value.name.tag == "epoch_loss" for value in groups["second"].metric_values)


class Killed(Exception):  # noqa: N818 (what happens, not what is wrong)
    """Stands for a process that ends."""


def trained_with_backup(folder, after=None):
    """Train 4 epochs of 5 batches, kept every 3 batches; with `after` the training ends after so many batches."""

    class Killer(callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch, logs=None):
            self.seen += 1
            if self.seen == after:
                raise Killed

    utils.set_random_seed(3)
    x = np.random.rand(40, 2).astype("float32")
    model = cornu.Sequential([layers.Input((2,)), layers.Dense(1, name="d")], name="s")
    model.compile("adam", "mse")
    backup = callbacks.BackupAndRestore(folder / "backup", save_freq=3)
    board = TensorBoard(folder / "logs", update_freq=1, histogram_freq=1)
    data = {"batch_size": 8, "epochs": 4, "validation_data": (x[:8], x[:8, :1]), "verbose": 0}
    model.fit(x, x[:, :1], callbacks=[board, Killer(), backup], **data)


def test_curves_of_a_training_that_was_killed_are_those_of_one_that_was_not(tmp_path):
    trained_with_backup(tmp_path / "whole")
    for after in (8, 9, 14, 15, 17):  # some before anything is kept anew, in the midst and at the ends of epochs
        with pytest.raises(Killed):
            trained_with_backup(tmp_path / "killed", after)
    trained_with_backup(tmp_path / "killed")
    for part in ("train", "validation"):
        whole, killed = (accumulated(tmp_path / name / "logs" / part) for name in ("whole", "killed"))
        assert whole.Tags()["scalars"] == killed.Tags()["scalars"] != []
        for tag in whole.Tags()["scalars"]:
            curves = [[(event.step, event.value) for event in board.Scalars(tag)] for board in (whole, killed)]
            assert curves[0] == curves[1], tag
        for tag in whole.Tags()["histograms"]:
            steps = [[event.step for event in board.Histograms(tag)] for board in (whole, killed)]
            assert steps[0] == steps[1] == [0, 1, 2, 3]


def test_a_mark_that_is_none_names_no_files(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "events.out.tfevents.1.other.v2").write_bytes(b"1")
    with pytest.raises(ValueError, match="not a valid mark"):
        TensorBoard(tmp_path).restore_training_state({"mark": "*", "sizes": {}})
    assert len(list((tmp_path / "train").iterdir())) == 1
