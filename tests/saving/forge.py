"""What makes hostile files out of good ones: archives, configs, weights in both layouts, arrays."""

import io
import json
import struct
import warnings
import zipfile

import h5py
import numpy as np

import cornu
from cornu import layers
from saving.mutations import zipped

KERNEL = "layers/dense/vars/0"
OLD_KERNEL = "first/model/first/kernel"


def model_of_layers():
    """Return a small model; it is the target of weights."""
    stack = [cornu.Input((4,), name="input"), layers.Dense(3, name="first"), layers.Dense(2, name="second")]
    return cornu.Sequential(stack, name="model")


class Forge:
    """Makes files in a folder; each gets a number in its name."""

    def __init__(self, folder):
        self.folder, self.number = folder, 0
        model = model_of_layers()
        for name in ("good.keras", "good.h5"):
            model.save(folder / name)
        model.save_weights(folder / "good.safetensors")
        with zipfile.ZipFile(folder / "good.keras") as archive:
            self.members = {name: archive.read(name) for name in archive.namelist()}

    def path(self, suffix):
        self.number += 1
        return self.folder / f"bad{self.number}{suffix}"

    def raw(self, content, suffix=".keras"):
        path = self.path(suffix)
        path.write_bytes(content)
        return path

    def archive(self, entries):
        """Write members, given as (name or ZipInfo, content), as they come."""
        path = self.path(".keras")
        with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names that are there twice
            for name, content in entries:
                archive.writestr(name, content)
        return path

    def with_member(self, name, content):
        """Replace a member, or add one; `name` may be a ZipInfo."""
        plain = getattr(name, "filename", name)
        return self.archive([(name, content), *((n, c) for n, c in self.members.items() if n != plain)])

    def good(self):
        return zipped(self.members)

    def configs(self, config, training=None):
        """Write a config into a ``.keras`` file, an ``.h5`` file and a JSON text."""
        text = config if isinstance(config, (str, bytes)) else json.dumps(config)
        old = self.path(".h5")
        with h5py.File(self.folder / "good.h5") as source, h5py.File(old, "w") as target:
            source.copy("model_weights", target)
            target.attrs["model_config"] = text
            if training is not None:
                target.attrs["training_config"] = json.dumps(training)
        content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        return [self.with_member("config.json", text), old, self.raw(content, ".json")]

    def layer(self, **entry):
        """Write the config of a stack whose layer is like the given, see `configs`."""
        return self.configs(stack_of(**entry))

    def dense(self, **config):
        return self.layer(config={"units": 3, "name": "first"} | config)

    def weights(self, change):
        """Let `change` at the weights in Keras 3's layout, inside an archive and alone."""
        stream = io.BytesIO(self.members["model.weights.h5"])
        with h5py.File(stream, "r+") as file:
            change(file)
        alone = self.raw(stream.getvalue(), ".weights.h5")
        return [self.with_member("model.weights.h5", stream.getvalue()), alone]

    def old(self, change):
        """Let `change` at the group of weights of an ``.h5`` file."""
        path = self.raw((self.folder / "good.h5").read_bytes(), ".h5")
        with h5py.File(path, "r+") as file:
            change(file["model_weights"])
        return [path]

    def arrays(self, make):
        """Put another array, made by ``make(group, name)``, in the place of a kernel in each layout."""

        def put(path):
            def change(file):
                del file[path]
                make(file, path)

            return change

        return self.weights(put(KERNEL)) + self.old(put(OLD_KERNEL))

    def tensors(self, header, data=b"", length=None):
        """Write a safetensors file with a header of any kind."""
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return self.raw(struct.pack("<Q", len(text) if length is None else length) + text + data, ".safetensors")

    def npz(self, name, content):
        path = self.path(".npz")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        return path


def stack_of(**layer):
    """Return the config of a Sequential model of one layer."""
    entry = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}, "registered_name": None} | layer
    start = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, 4], "name": "input"},
    }
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "model", "layers": [start, entry]},
        "registered_name": "Sequential",
    }


def graph_of(layers, calls=(), outputs=None):
    """Return the config of a functional model of entries with calls in Keras 2's form."""
    start = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "x"}, "name": "x"}
    entries = [start | {"inbound_nodes": []}]
    entries += [
        {"class_name": "Dense", "name": n, "config": {"units": 4, "name": n}, "inbound_nodes": c} for n, c in layers
    ]
    config = {"name": "g", "layers": entries, "input_layers": [["x", 0, 0]]}
    return {"class_name": "Functional", "config": config | {"output_layers": outputs or [[layers[-1][0], 0, 0]]}}


def npy(header, data=b"", version=(1, 0)):
    """Return a ``.npy`` file with a header of any text."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H", len(text)) + text + data


def packed(name, content):
    """Return the entry of a member that is deflated."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info, content


def pickled(value):
    array = np.empty(1, dtype=object)
    array[0] = value
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()
