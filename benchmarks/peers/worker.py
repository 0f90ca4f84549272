"""A worker: stays alive and does, one at a time, what it is told on standard input, one JSON object per line.

``python -m benchmarks.peers.worker PEER`` answers each line with one JSON object on standard output; whatever the
libraries print goes to standard error.
"""

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import resource
import sys
import time
import traceback

import numpy as np

from benchmarks.peers import loop_tasks, tasks

#: Parts of preparing a program -> JAX's name for their duration.
STAGES = {
    "trace": "/jax/core/compile/jaxpr_trace_duration",
    "lower": "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "compile": "/jax/core/compile/backend_compile_duration",
}


def make_peer(kind):
    """Return the peer: ``torch``, ``jax``, or the module that speaks Keras (``cornu``, ``keras``)."""
    if kind in ("torch", "jax"):
        return importlib.import_module(f"benchmarks.peers.{kind}_peer").Peer()
    return importlib.import_module("benchmarks.peers.keras_peer").Peer(kind)


def seconds_of(function, count=1):
    """Return the seconds that each of `count` calls takes."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        function()
        found.append(time.perf_counter() - began)
    return found


def megabytes():
    """Return the memory that this process holds now, the most that it held, and its own part now; MB of 10^6 bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    try:
        with open("/proc/self/status") as file:
            fields = dict(line.split(":", 1) for line in file)
    except OSError:  # no Linux
        return {"now": most, "most": most, "own": most}
    now, most, own = (int(fields[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM", "RssAnon"))
    return {"now": now, "most": most, "own": own}


def forget_peak():
    """Let the most that this process held be counted from now on, where the system can do that."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def covered(spans):
    """Return for how long at least one of the spans (begin, end) runs."""
    total, reached = 0.0, 0.0
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


class Worker:
    """The commands: every public method is one, its keywords come from the line, and it returns the answer."""

    def __init__(self, kind):
        self.peer = make_peer(kind)

    def versions(self):
        return dict(self.peer.versions(), python=".".join(map(str, sys.version_info[:3])), numpy=np.__version__)

    def build(self, name, batch, rows, path):
        task = tasks.task(name)
        x, y = tasks.data(task, path, rows)
        forget_peak()
        self.peer.build(task, batch, x, y)
        self.peer.reset(1)
        return {"parameters": tasks.parameters(task)}

    def first_step(self, name, path):
        """Build a model and train one step; returns the seconds of both together."""
        task = tasks.task(name)
        x, y = tasks.data(task, path, task.batch)
        return {"seconds": seconds_of(lambda: (self.peer.build(task, task.batch, x, y), self.peer.epochs(1)))}

    def build_loop(self, name):
        self.loop = loop_tasks.Loop(self.peer.keras.__name__, name)
        return {}

    def loop_steps(self, how, count):
        if how == "fit":
            return {"seconds": self.loop.fit(count)}
        seconds, loss = self.loop.steps(how, count)
        return {"seconds": seconds, "loss": loss}

    def build_network(self, name):
        """Make a network; returns the first losses on one batch, the outputs before, and the number of weights."""
        task = tasks.task(name)
        self.rows = tasks.data(task, "", task.batch)
        exact = getattr(self.peer, "use_keras_padding", lambda exact: None)
        self.peer.build(task, task.batch, *self.rows)
        self.peer.reset(1)
        exact(True)
        outputs = self.peer.predict_all()
        losses = self.peer.epochs(3)[1]
        exact(False)
        return {"losses": losses, "outputs": outputs[:2].ravel()[:1000].tolist(), "parameters": self.peer.parameters()}

    def repeat_rows(self, times):
        """Let a network's epochs have this many batches."""
        self.peer.use(*(np.concatenate([each] * times) for each in self.rows))
        return {}

    def network_epochs(self, count):
        """Train; returns the seconds of each epoch, and those of the processor."""
        return {"seconds": self.peer.epochs(count)[0], "processor": self.peer.processor}

    def predict_all(self, count):
        """Predict all rows; returns the seconds of each time, and those of the processor."""
        seconds, processor = [], []
        for _ in range(count):
            before = time.process_time()
            seconds += seconds_of(self.peer.predict_all)
            processor.append(time.process_time() - before)
        return {"seconds": seconds, "processor": processor}

    def first_network_step(self, name):
        """Build a network and train one step; returns the seconds, and those of JAX's tracing, lowering, compiling."""
        task = tasks.task(name)
        x, y = tasks.data(task, "", task.batch)
        spans = {}
        if importlib.util.find_spec("jax"):  # Cornu imports it when it needs it: here, before the time begins
            importlib.import_module("jax").monitoring.register_event_duration_secs_listener(
                lambda event, seconds, **_: spans.setdefault(event, []).append(
                    (time.perf_counter() - seconds, time.perf_counter())
                )
            )
        (seconds,) = seconds_of(lambda: (self.peer.build(task, task.batch, x, y), self.peer.epochs(1)))
        return {"seconds": seconds, **{part: covered(spans.get(event, [])) for part, event in STAGES.items()}}

    def use_policy(self, policy):
        self.peer.keras.mixed_precision.set_global_policy(policy)
        return {}

    def reset(self, seed):
        self.peer.reset(seed)
        return {}

    def epochs(self, count):
        seconds, losses = self.peer.epochs(count)
        return {"seconds": seconds, "losses": losses}

    def kept_epochs(self, count, folder=None):
        """Train with a checkpoint after each epoch, or without; returns the megabytes of one too."""
        periods, waits = self.peer.kept_epochs(count, folder)
        weights = sum(np.asarray(variable).nbytes for variable in self.peer.model.variables)
        slots = sum(np.asarray(variable).nbytes for variable in self.peer.model.optimizer.variables)
        return {"periods": periods, "waits": waits, "megabytes": (weights + slots) / 1e6}

    def fit_from(self, source, count):
        return {"seconds": self.peer.fit_from(source, count)}

    def build_mapped(self, name, batch, folder):
        """Make a model whose data are mapped files, as `write_mapped` wrote them."""
        x, y = (np.load(os.path.join(folder, part + ".npy"), mmap_mode="r") for part in ("x", "y"))
        self.peer.build(tasks.task(name), batch, x, y)
        return {"megabytes": (x.nbytes + y.nbytes) / 1e6}

    def write_mapped(self, folder, times):
        """Write the data to files, `times` over."""
        for name in ("x", "y"):
            array = getattr(self.peer, name)
            shape = (len(array) * times, *array.shape[1:])
            out = np.lib.format.open_memmap(os.path.join(folder, name + ".npy"), "w+", array.dtype, shape)
            for start in range(0, len(out), len(array)):
                out[start : start + len(array)] = array
            out.flush()
        return {}

    def limit_memory(self, megabytes):
        """Allow this process so much more memory of its own than it has now; returns whether the system can do that."""
        try:
            with open("/proc/self/status") as file:
                fields = dict(line.split(":", 1) for line in file)
        except OSError:
            return {"limited": False}
        limit = int(fields["VmData"].split()[0]) * 1024 + int(megabytes * 1e6)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        return {"limited": True}

    def build_pictures(self, folder, side, batch):
        """Make a data set of the pictures in a folder, and read it once; returns the mean of all pixels."""
        self.read = self.peer.pictures(folder, side, batch)
        return {"mean": self.read(lambda batch: float(np.mean(np.asarray(batch))))}

    def read_pictures(self, count):
        """Read all pictures, an epoch at a time."""
        return {"seconds": seconds_of(lambda: self.read(lambda batch: 0.0), count)}

    def predict(self, rows, count):
        self.peer.predict(rows)
        return {"seconds": seconds_of(lambda: self.peer.predict(rows), count)}

    def call(self, rows, count):
        """Call the model; a loop's way to predict is a call already."""
        call = getattr(self.peer, "call", self.peer.predict)
        return {"outputs": call(rows).tolist(), "seconds": seconds_of(lambda: call(rows), count)}

    def predict_sizes(self, sizes):
        """Predict for each number of rows in turn, each for the first time."""
        return {"seconds": [seconds_of(lambda size=size: self.peer.predict(size))[0] for size in sizes]}

    def outputs(self, rows):
        return {"outputs": self.peer.predict(rows).tolist()}

    def evaluate(self, rows, count):
        values = self.peer.evaluate(rows)
        return {"values": values, "seconds": seconds_of(lambda: self.peer.evaluate(rows), count)}

    def product(self, size, count):
        """Return the best rate of a float32 matrix product in GFLOP/s."""
        multiply = self.peer.product(size)
        multiply()
        return {"gigaflops": 2e-9 * size**3 / min(seconds_of(multiply, count))}

    def memory(self):
        gc.collect()
        return megabytes()

    def many_models(self, count, most_seconds):
        """Make, train for one step and drop models, until `count` or until the time is over."""
        task, began, done = self.peer.task, time.perf_counter(), 0
        x, y, batch = self.peer.x, self.peer.y, self.peer.batch
        while done < count and time.perf_counter() - began < most_seconds:
            self.peer.build(task, batch, x, y)
            self.peer.model.train_on_batch(x[:batch], y[:batch])
            done += 1
        return dict(self.memory(), done=done)

    def many_predictions(self, count, most_seconds):
        """Predict one row again and again, until `count` or until the time is over."""
        began, done = time.perf_counter(), 0
        while done < count and time.perf_counter() - began < most_seconds:
            self.peer.predict(1)
            done += 1
        return dict(self.memory(), done=done)


def main():
    """Answer line after line until the input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = Worker(sys.argv[1])
    answers.write("{}\n")
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = getattr(worker, order.pop("do"))(**order)
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
