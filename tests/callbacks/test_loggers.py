import csv
import http.server
import json
import threading
import urllib.parse

import numpy as np
import pytest

import cornu
from callbacks.stubs import drive
from cornu import layers
from cornu.callbacks import CSVLogger, LambdaCallback, RemoteMonitor
from cornu.callbacks.logs import Logs


def rows(path, separator=","):
    with path.open(newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def test_one_row_per_epoch(tmp_path):
    path = tmp_path / "new" / "log.csv"
    drive(CSVLogger(path, separator=";"), [0.5, 0.25])
    assert rows(path, ";") == [["epoch", "val_loss"], ["0", "0.5"], ["1", "0.25"]]


def test_a_second_run_replaces_or_appends(tmp_path):
    path = tmp_path / "log.csv"
    drive(CSVLogger(path), [0.5])
    drive(CSVLogger(path, append=True), [0.25])
    assert rows(path) == [["epoch", "val_loss"], ["0", "0.5"], ["0", "0.25"]]
    drive(CSVLogger(path), [0.125])
    assert rows(path) == [["epoch", "val_loss"], ["0", "0.125"]]


def test_values_that_come_later_have_their_column(tmp_path):
    path = tmp_path / "log.csv"
    callback = CSVLogger(path)
    callback.set_params({"metrics": ["loss", "val_loss"]})
    callback.on_train_begin()
    callback.on_epoch_end(0, {"loss": 1.0})
    callback.on_epoch_end(1, {"loss": 0.5, "val_loss": 2.0})
    assert rows(path) == [["epoch", "loss", "val_loss"], ["0", "1.0", "NA"], ["1", "0.5", "2.0"]]


def test_arrays_are_one_cell(tmp_path):
    path = tmp_path / "log.csv"
    drive(CSVLogger(path), [np.array([0.5, 1.0])])
    assert rows(path)[1] == ["0", "[0.5, 1.0]"]


def test_columns_of_a_fit_equal_keras(tmp_path, real_keras):
    x = np.ones((16, 2), "float32")
    for keras, name in ((cornu, "mine"), (real_keras, "theirs")):
        model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", metrics=["mae"])
        logger = keras.callbacks.CSVLogger(str(tmp_path / name))
        model.fit(x, x[:, :1], epochs=2, verbose=0, validation_split=0.5, callbacks=[logger])
    mine, theirs = rows(tmp_path / "mine"), rows(tmp_path / "theirs")
    assert mine[0] == theirs[0]
    assert len(mine) == len(theirs) == 3


def test_functions_are_called_at_their_time():
    seen = []
    names = ("on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_batch_end", "on_train_batch_begin")
    callback = LambdaCallback(**{name: lambda *args, name=name: seen.append(name) for name in names})
    model = cornu.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((8, 2), "float32")
    model.fit(x, x[:, :1], batch_size=4, verbose=0, callbacks=[callback])
    batch = ["on_train_batch_begin", "on_batch_end"]
    assert seen == ["on_train_begin", "on_epoch_begin", *batch, *batch, "on_epoch_end", "on_train_end"]


def test_unknown_function_name_is_refused():
    with pytest.raises(TypeError, match=r"'on_epoch_ends'\. Did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_ends=print)


@pytest.fixture
def server():
    """Give the address of a web server on this machine, and the requests that it was sent."""
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, self.headers, text))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    web = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{web.server_port}", received
    web.shutdown()
    thread.join()
    web.server_close()


@pytest.mark.parametrize("as_json", [True, False])
def test_logs_are_posted(server, as_json):
    root, received = server
    callback = RemoteMonitor(root, field="values", headers={"X-Run": "7"}, send_as_json=as_json)
    callback.on_epoch_end(2, Logs(loss=np.float32(0.5)))
    path, headers, text = received[0]
    if not as_json:
        text = urllib.parse.parse_qs(text)["values"][0]
    assert json.loads(text) == {"epoch": 2, "loss": 0.5}
    assert (path, headers["X-Run"]) == ("/publish/epoch/end/", "7")


def test_a_server_that_does_not_answer_is_a_warning():
    with pytest.warns(UserWarning, match="could not reach http://127.0.0.1:9"):
        RemoteMonitor("http://127.0.0.1:9").on_epoch_end(0, {"loss": 1.0})
