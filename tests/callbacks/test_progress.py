import contextlib
import io
import os
import pty
import re
import select
import struct
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from cornu.callbacks import progress
from cornu.callbacks.progress import Progbar, format_left, format_pace, format_value, say

PROGRAM = """
    import sys
    import numpy as np
    import cornu
    from cornu import layers
    sys.stdout.reconfigure(errors="strict")  # C.UTF-8 and the C locale are lenient
    model = cornu.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    x = np.ones((50, 3), "float32")
    stop = cornu.callbacks.EarlyStopping("loss", mode="max", verbose=1)
    for verbose in (0, 1, 2, "auto"):
        print("## verbose", verbose)
        model.fit(x, x[:, :1], batch_size=10, epochs=2, verbose=verbose, validation_split=0.2, callbacks=[stop])
        model.evaluate(x, x[:, :1], batch_size=10, verbose=verbose)
        model.predict(x, batch_size=10, verbose=verbose)
"""


def run(encoding, terminal):
    """Run the program with a pipe or terminal as its output; return what was written there, by verbosity."""
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM)]
    environment = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": encoding, "COLUMNS": "200"}
    ours, theirs = pty.openpty() if terminal else os.pipe()
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        written = _everything(ours)
        errors = process.stderr.read()
    os.close(ours)
    assert process.returncode == 0, errors.decode()
    parts = written.decode().replace("\r\n", "\n").split("## verbose ")[1:]
    return {verbose: text for verbose, _, text in (part.partition("\n") for part in parts)}


def _everything(ours):
    written = b""
    while select.select([ours], [], [], 200)[0]:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux: the terminal's other end is closed
            return written
        if not part:
            return written
        written += part
    raise AssertionError("the program did not end")


@pytest.fixture(scope="module")
def piped():
    return run("utf-8", terminal=False)


@pytest.fixture(scope="module")
def shown():
    return run("utf-8", terminal=True)


def plain(text):
    """Return text with its times replaced, since they differ from run to run."""
    return re.sub(r" - [\d:.]+(s|ms|us)? - [\d:.]+(s|ms|us)?/step", " - TIME", text)


NUMBER = r"[\d.e-]+"
LINES = [
    "Train on 40 samples, validate on 10 samples",
    "Epoch 1/2",
    f"4/4 - TIME - loss: {NUMBER} - mae: {NUMBER} - val_loss: {NUMBER} - val_mae: {NUMBER}",
    "Epoch 2/2",
    "Epoch 2: early stopping",
    f"4/4 - TIME - loss: {NUMBER} - mae: {NUMBER} - val_loss: {NUMBER} - val_mae: {NUMBER}",
    f"5/5 - TIME - loss: {NUMBER} - mae: {NUMBER}",
    "5/5 - TIME",
]


@pytest.mark.parametrize("verbose", ["1", "2", "auto"])
def test_in_a_pipe_one_plain_line_per_epoch(piped, verbose):
    text = piped[verbose]
    lines = sorted(plain(text).splitlines())
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text) is None  # no control characters but the ends of lines
    assert len(lines) == len(LINES)
    for line, expected in zip(lines, sorted(LINES), strict=True):
        assert re.fullmatch(expected, line)


@pytest.mark.parametrize("where", ["piped", "shown"])
def test_silent_says_only_what_a_callback_says(where, request):
    assert request.getfixturevalue(where)["0"] == "Epoch 2: early stopping\n"


@pytest.mark.parametrize("verbose", ["1", "auto"])
def test_on_a_terminal_bars_are_drawn_over(shown, verbose):
    text = shown[verbose]
    assert "\x1b" not in text
    assert "\b" not in text
    final = [line.rpartition("\r")[2] for line in text.split("\n")]
    assert sum("4/4 ━━━━━━━━━━━━━━━━━━━━ " in line for line in final) == 2
    assert sum("5/5 ━━━━━━━━━━━━━━━━━━━━ " in line for line in final) == 2
    assert "Epoch 2: early stopping" in final


def test_on_a_terminal_verbose_2_draws_no_bar(shown):
    assert "━" not in shown["2"]
    assert "\r" not in shown["2"]


@pytest.mark.parametrize("terminal", [True, False])
def test_an_encoding_without_the_bars_sign_is_no_error(terminal):
    text = run("ascii", terminal)["1"]
    assert text.isascii()
    assert ("====" in text) == terminal


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437"])
def test_no_character_that_the_encoding_lacks(monkeypatch, encoding):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="")
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with contextlib.redirect_stdout(stream):
        for verbose in (1, 2):
            bar = Progbar(2, verbose=verbose)
            bar.update(1, [("точность", 0.5)])
            bar.update(2, [("точность", 0.5), ("Größe", "α")])
        say("τ ist groß")
        stream.flush()
    text = raw.getvalue().decode(encoding)
    assert "\\u0442" in text
    assert "2/2 ==================== 0s" in text
    assert ("groß" in text) == (encoding != "ascii")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    return Terminal()


def test_a_dumb_terminal_gets_no_bar(terminal, monkeypatch):
    assert progress.is_live(terminal)
    monkeypatch.setenv("TERM", "dumb")
    assert not progress.is_live(terminal)


def test_values_are_averaged_over_steps_unless_stateful(capsys):
    bar = Progbar(4, verbose=2, stateful_metrics=["acc"])
    bar.update(1, [("loss", 4.0), ("acc", 0.1)])
    bar.update(4, [("loss", np.float32(0.0)), ("acc", 0.5)])
    assert plain(capsys.readouterr().out) == "4/4 - TIME - loss: 1.0000 - acc: 0.5000\n"


def test_stateless_metrics_name_those_that_are_averaged(capsys):
    bar = Progbar(2, verbose=2, stateless_metrics=["loss"])
    bar.add(1, [("loss", 2.0), ("rate", 2.0)])
    bar.add(1, [("loss", 1.0), ("rate", 1.0)])
    assert plain(capsys.readouterr().out) == "2/2 - TIME - loss: 1.5000 - rate: 1.0000\n"
    with pytest.raises(ValueError, match="stateful_metrics or stateless_metrics"):
        Progbar(2, stateful_metrics=["a"], stateless_metrics=["b"])


def test_a_bar_of_unknown_length_ends_when_told(capsys):
    bar = Progbar(None, verbose=2)
    bar.update(3, [("loss", 1.0)])
    bar.update(4, [("loss", 1.0)], finalize=True)
    assert plain(capsys.readouterr().out) == "4/Unknown - TIME - loss: 1.0000\n"


def test_the_bar_grows_and_is_cut_to_the_terminal(terminal, monkeypatch):
    monkeypatch.setattr(progress, "REFRESH", 0.0)
    with contextlib.redirect_stdout(terminal):
        bar = Progbar(10, interval=0)
        bar.update(5, [("a_metric_with_a_very_long_name_indeed", 1.0)])
        drawn = terminal.getvalue()
        assert drawn.startswith("\r 5/10 ━━    0s ")
        assert len(drawn) == 60
        bar.update(10, [("a_metric_with_a_very_long_name_indeed", 1.0)])
    assert terminal.getvalue().endswith("\n    a_metric_with_a_very_long_name_indeed: 1.0000\n")


def test_few_drawings_however_many_steps(terminal):
    with contextlib.redirect_stdout(terminal):
        bar = Progbar(10_000)
        for step in range(10_000):
            bar.update(step + 1, [("loss", 1.0)])
    seconds = bar._last - bar._start
    assert terminal.getvalue().count("\r") <= seconds / progress.REFRESH + 3


def test_a_message_takes_the_place_of_a_bar_that_is_not_finished(terminal):
    with contextlib.redirect_stdout(terminal):
        Progbar(10).update(5)
        bar = terminal.getvalue().removeprefix("\r")
        say("message")
        say("another")
    assert terminal.getvalue() == f"\r{bar}\r{' ' * len(bar)}\rmessage\nanother\n"


def test_long_epochs_in_a_pipe_give_a_sign_of_life(monkeypatch, capsys):
    monkeypatch.setattr(progress, "HEARTBEAT", 0.0)
    Progbar(10).update(5)
    assert plain(capsys.readouterr().out) == "5/10 - TIME\n"


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5000"), (0, "0.0000e+00"), (1e-5, "1.0000e-05"), (-3, "-3.0000"), ("x", "x")]
)
def test_values_are_written_with_four_decimals(value, text):
    assert format_value("a", value) == f"a: {text}"


@pytest.mark.parametrize(("seconds", "text"), [(3725, "1:02:05"), (60, "60s"), (61.5, "1:01"), (0.5, "0s")])
def test_time_left_has_the_unit_that_suits(seconds, text):
    assert format_left(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(90, "90s"), (1e-5, "10us"), (0.5, "500ms"), (0, "0s")])
def test_pace_has_the_unit_that_suits(seconds, text):
    assert format_pace(seconds) == text


# ---- the wording of Keras

TWICE = """
    import importlib, sys
    import numpy as np
    keras = importlib.import_module(sys.argv[1])
    layers = keras.layers
    x = np.linspace(0, 1, 150).reshape(50, 3).astype("float32")
    model = keras.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=["mae"])
    for verbose in (1, 2):
        for epochs in (1, 2):
            model.fit(x, x[:, :1], batch_size=5, epochs=epochs, verbose=verbose, shuffle=False)
        model.evaluate(x, x[:, :1], batch_size=5, verbose=verbose)
        model.predict(x, batch_size=5, verbose=verbose)
        model.fit(x, x[:, :1] * 0 - 1, batch_size=5, verbose=verbose, shuffle=False, validation_split=0.2)
        bar = keras.utils.Progbar(11, verbose=verbose, stateful_metrics=["zero"], unit_name="sample")
        for step in range(11):
            bar.update(step + 1, [("same", 0.25), ("zero", 0.0), ("tiny", 1e-4), ("array", np.array([1.0, 2.0]))])
        bar = keras.utils.Progbar(None, verbose=1, interval=0)
        bar.update(3, [("a", 1.0)])
        print()
"""


def final_lines(package):
    """Return what stands on a terminal after the program: colours and what was drawn over taken away, times masked."""
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", textwrap.dedent(TWICE), package]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(theirs)
        text = _everything(ours).decode()
    os.close(ours)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[\d*m|\x08", "", text).replace("\r\n", "\n")
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n"))
    return re.sub(r"\d+s( -)? \d+(s|ms|us)/", r"TIME\1 PACE/", text).splitlines()


def test_the_wording_is_that_of_keras():
    """Lines are equal but for "Train on ...", which Keras 3 left out, and last digits of sums in other orders."""
    mine = [line for line in final_lines("cornu") if not line.startswith("Train on")]
    theirs = final_lines("keras")
    number = re.compile(r"-?\d\.\d{4}(?:e[+-]\d\d)?")
    assert [number.sub("N", line) for line in mine] == [number.sub("N", line) for line in theirs]
    for line, reference in zip(mine, theirs, strict=True):
        numbers, references = ([float(one) for one in number.findall(text)] for text in (line, reference))
        np.testing.assert_allclose(numbers, references, rtol=2e-3, atol=2e-4)


# ---- notebooks


def test_a_notebook_keeps_one_output_per_bar(monkeypatch):
    display = pytest.importorskip("IPython.display")
    places = []

    class Place:
        def __init__(self, bundle):
            self.shown = [bundle]
            places.append(self)

        def update(self, bundle, raw):
            self.shown.append(bundle)

    class OutStream(io.StringIO):
        """A cell's output."""

        encoding = "UTF-8"

    OutStream.__module__ = "ipykernel.iostream"
    monkeypatch.setattr(display, "display", lambda bundle, raw, display_id: Place(bundle))
    monkeypatch.setattr(progress, "REFRESH", 0.0)
    cell = OutStream()
    with contextlib.redirect_stdout(cell):
        for _ in range(2):
            bar = Progbar(2, interval=0)
            bar.update(1, [("a<b", 0.5)])
            say("between")
            bar.update(2, [("a<b", 0.5)])
    assert len(places) == 2
    assert [len(place.shown) for place in places] == [2, 2]
    last = places[1].shown[-1]
    assert re.fullmatch(r"2/2 ━{20} 0s \d+[mu]?s/step - a<b: 0\.5000", last["text/plain"])
    assert "a&lt;b: 0.5000</pre>" in last["text/html"]
    assert cell.getvalue() == "between\nbetween\n"


METRICS_PROGRAM = """
import sys
from cornu.callbacks.progress import Progbar
many = [(f"output_{i}_accuracy", 0.25) for i in range(6)]
few = [("loss", 0.25), ("accuracy", 0.5), ("val_loss", 0.75), ("val_accuracy", 0.5)]
for verbose in (1, 2):
    for values in (few, many):
        bar = Progbar(1875, verbose=verbose)
        for step in (1, 900, 1875):
            bar._last = 0
            bar.update(step, values)
"""


def on_terminal(width, code=METRICS_PROGRAM, resize=None):
    """Return the lines that a program leaves on a terminal of a width; `resize` is its width after the first output."""
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm", PYTHONIOENCODING="utf-8", JAX_PLATFORMS="cpu")
        os.environ.pop("COLUMNS", None)
        os.read(0, 1)
        os.execv(sys.executable, [sys.executable, "-c", code])
    sized = lambda columns: fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))  # noqa: E731
    sized(width)
    os.write(terminal, b"\n")
    shown = b""
    with contextlib.suppress(OSError):  # the end, on Linux
        while piece := os.read(terminal, 4096):
            shown += piece
            if resize and b"step" in shown:
                sized(resize)
    os.waitpid(process, 0)
    os.close(terminal)
    return shown.decode().split("\r\n")[1:]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_fit_the_terminal(width):
    """All that is drawn over each other, and the lines that stay, are narrower than the terminal."""
    lines = on_terminal(width)
    drawn = [one.rstrip() for line in lines for one in line.split("\r")]
    assert any("1875/1875 ━━━━━" in one for one in drawn)
    assert max(map(len, drawn)) < width
    assert sum("output_5_accuracy: 0.2500" in one for one in drawn) >= 2


def test_a_terminal_that_becomes_narrower():
    code = METRICS_PROGRAM.replace(
        "for step in (1, 900, 1875):", "import time\n        for step in (1, 900, 1875):\n            time.sleep(0.3)"
    )
    last = on_terminal(120, code, resize=60)[-6:]
    assert all(len(one.rstrip()) < 60 for line in last for one in line.split("\r"))


def test_lines_of_logs_stay_whole(capsys):
    exec(METRICS_PROGRAM, {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all("output_5" in line for line in lines[1::2])
