"""Files that were made to harm: each is refused in words, at every way in, and leaves the model as it was.

The numbers are those of the project's list of hostile files; this is a first handful of it.
"""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.models import load_model, model_from_json


def model_of_layers():
    return cornu.Sequential([cornu.Input((4,)), layers.Dense(3, name="first"), layers.Dense(2)], name="model")


@pytest.fixture
def good(tmp_path):
    """Give the members of a good ``.keras`` file."""
    model_of_layers().save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def refused(tmp_path):
    """Give a function that tries a file at all ways in, and checks the message and that no weight changed."""

    def check(path, match):
        with pytest.raises(ValueError, match=match):
            load_model(path)
        model = model_of_layers()
        before = model.get_weights()
        with pytest.raises(ValueError, match=match):
            model.load_weights(path)
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))

    return check


def write(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/evil",
        "..\\evil",
        "C:evil",
        "assets/evil.txt",
        "extra",
        "config.json/",
        "model.weights.h5/x",
        " ",
    ],
)  # H1, H3
def test_members_that_a_model_file_does_not_have(good, refused, tmp_path, name):
    refused(write(tmp_path / "bad.keras", [*good.items(), (name, b"")]), "holds the member")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])  # H2
def test_a_member_that_is_there_twice(good, refused, tmp_path, name):
    refused(write(tmp_path / "bad.keras", [*good.items(), (name, good[name])]), f"{name}', twice")


def test_links_and_unusual_packing(good, refused, tmp_path):  # H3
    link = zipfile.ZipInfo("config.json")
    link.external_attr = 0o120777 << 16
    rest = [(name, content) for name, content in good.items() if name != "config.json"]
    refused(write(tmp_path / "link.keras", [(link, b"/etc/passwd"), *rest]), "no plain file")
    packed = zipfile.ZipInfo("config.json")
    packed.compress_type = zipfile.ZIP_LZMA
    refused(write(tmp_path / "lzma.keras", [(packed, good["config.json"]), *rest]), "unusual way")


def test_bombs(good, refused, tmp_path):  # H4, H5
    for name, match in (("model.weights.h5", "more than the .* it may have"), ("metadata.json", "it may have")):
        bomb = zipfile.ZipInfo(name)
        bomb.compress_type = zipfile.ZIP_DEFLATED
        rest = [(other, content) for other, content in good.items() if other != name]
        refused(write(tmp_path / f"{name}.keras", [(bomb, bytes((1 << 26) + 1)), *rest]), match)


def test_damaged_archives(good, refused, tmp_path):  # H7, H8
    path = write(tmp_path / "bad.keras", good.items())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "neither a .keras file")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + whole)
    refused(path, "neither a .keras file")
    start = whole.index(b'"class_name"') if b'"class_name"' in whole else 200
    path.write_bytes(whole[:start] + b"?" + whole[start + 1 :])
    with pytest.raises(ValueError, match="damaged"):
        load_model(path)
    path.write_bytes(b"")
    refused(path, "has 0 bytes")
    path.write_bytes(b"\x80\x04\x95cposix\nsystem\n")  # H9: a pickle
    refused(path, "neither a .keras file")


def of_config(path, good, config):
    text = config if isinstance(config, (str, bytes)) else json.dumps(config)
    return write(path, [*((n, c) for n, c in good.items() if n != "config.json"), ("config.json", text)])


def model_config(**layer):
    entry = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}, "registered_name": None} | layer
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": [entry]}}


HOSTILE_LAYERS = {
    "H10 os.system": {"module": "os", "class_name": "system", "config": "true"},
    "H10 builtins": {"module": "builtins", "class_name": "eval", "config": {"source": "1"}},
    "H10 numpy": {"module": "numpy", "class_name": "load", "config": {"file": "x"}},
    "H11 loader": {"module": "cornu.saving", "class_name": "load_model", "config": {"filepath": "x"}},
    "H11 fetch": {"module": "cornu.datasets.fetch", "class_name": "get_file", "config": {"fname": "x"}},
    "H12 function": {"class_name": "function", "config": "relu"},
    "H12 activation": {"module": "keras.activations", "class_name": "relu", "config": {}},
    "H13 lambda": {
        "class_name": "Lambda",
        "config": {"function": {"class_name": "__lambda__", "config": {"code": ""}}},
    },
    "H13 old lambda": {"class_name": "Lambda", "config": {"function": ["4wEAAAA=", None, None], "name": "l"}},
    "H13 in initializer": {
        "config": {
            "units": 2,
            "kernel_initializer": {"class_name": "__lambda__", "config": {"code": "", "defaults": None}},
        }
    },
    "H15 no module": {"module": None, "class_name": "os.system", "config": {}},
    "H17 saved model": {"class_name": "TFSMLayer", "config": {"filepath": "/tmp/x"}},
    "H21 units": {"config": {"units": [1, 2]}},
    "H21 negative": {"config": {"units": -1}},
}


@pytest.mark.parametrize("what", HOSTILE_LAYERS)
def test_configs_that_name_more_than_layers(good, tmp_path, what):
    config = model_config(**HOSTILE_LAYERS[what])
    path = of_config(tmp_path / "bad.keras", good, config)
    with pytest.raises(ValueError, match=r"bad\.keras"):
        load_model(path)
    with h5py.File(tmp_path / "bad.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.create_group("model_weights")
    with pytest.raises(ValueError, match=r"bad\.h5"):
        load_model(tmp_path / "bad.h5")
    with pytest.raises((ValueError, TypeError)):
        model_from_json(json.dumps(config))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "cannot be read as JSON"),
        ('{"class_name": "Sequential", "class_name": "Model", "config": {}}', "'class_name' is given twice"),
        ("[" * 100_000, "cannot be read as JSON"),
        (b"\xff\xfe", "cannot be read as JSON"),
        ("[]", "an object was expected"),
        ('{"class_name": ["Sequential"], "config": {}}', "describes no model"),
        ('{"class_name": "Dense", "config": {"units": 2}}', "no class of models|which is no model"),
    ],
)  # H22
def test_texts_that_are_no_config(good, tmp_path, text, match):
    with pytest.raises(ValueError, match=match):
        load_model(of_config(tmp_path / "bad.keras", good, text))


def change_weights(good, change):
    """Return the members of a file whose weights `change` was let at."""
    content = io.BytesIO(good["model.weights.h5"])
    with h5py.File(content, "r+") as file:
        change(file)
    return [*((n, c) for n, c in good.items() if n != "model.weights.h5"), ("model.weights.h5", content.getvalue())]


def replace(path, make):
    def change(file):
        del file[path]
        make(file, path)

    return change


KERNEL = "layers/dense/vars/0"
HOSTILE_WEIGHTS = {
    "H24 external link": (
        replace(KERNEL, lambda f, p: f.__setitem__(p, h5py.ExternalLink("x.h5", "y"))),
        "ExternalLink",
    ),
    "H24 group": (replace("layers", lambda f, p: f.__setitem__(p, h5py.ExternalLink("x.h5", "y"))), "ExternalLink"),
    "H25 soft link": (
        replace(KERNEL, lambda f, p: f.__setitem__(p, h5py.SoftLink("/layers/dense_1/vars/0"))),
        "SoftLink",
    ),
    "H26 external": (
        replace(KERNEL, lambda f, p: f.create_dataset(p, (4, 3), "f4", external=[("/etc/passwd", 0, 48)])),
        "another file",
    ),
    "H28 shape bomb": (
        replace(KERNEL, lambda f, p: f.create_dataset(p, (1 << 40, 1 << 10), "f4", chunks=(1024, 1024))),
        "does not fit",
    ),
    "H30 hard link cycle": (lambda f: f["layers/dense"].__setitem__("loop", f["layers"]), "two names"),
    "H31 text": (replace(KERNEL, lambda f, p: f.create_dataset(p, (4, 3), h5py.string_dtype())), "no number"),
    "H31 reference": (replace(KERNEL, lambda f, p: f.create_dataset(p, (4, 3), h5py.ref_dtype)), "no number"),
    "H31 compound": (replace(KERNEL, lambda f, p: f.create_dataset(p, (4, 3), [("a", "f4")])), "no number"),
    "H33 integers": (replace(KERNEL, lambda f, p: f.create_dataset(p, (4, 3), "i4")), "dtype float32"),
    "H33 missing": (lambda f: f.__delitem__(KERNEL), "named 0, 1"),
    "H33 no layer": (lambda f: f.__delitem__("layers/dense"), "has 2 weights"),
    "H33 one more": (lambda f: f.create_dataset("layers/dense/vars/2", (1,), "f4"), "the file has 3"),
    "H33 other layer": (lambda f: f.create_dataset("layers/dense_9/vars/0", (1,), "f4"), "layer 'layers/dense_9'"),
    "H33 stray": (lambda f: f.create_dataset("stray", (1,), "f4"), "where a model file has none"),
}


@pytest.mark.parametrize("what", HOSTILE_WEIGHTS)
def test_weights_that_are_not_the_models(good, refused, tmp_path, what):
    change, match = HOSTILE_WEIGHTS[what]
    members = change_weights(good, change)
    refused(write(tmp_path / "bad.keras", members), match)
    (tmp_path / "bad.weights.h5").write_bytes(dict(members)["model.weights.h5"])
    with pytest.raises(ValueError, match=match):
        model_of_layers().load_weights(tmp_path / "bad.weights.h5")


def test_virtual_arrays(good, refused, tmp_path):  # H27
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (4, 3))
    change = replace(KERNEL, lambda f, p: f.create_virtual_dataset(p, layout))
    refused(write(tmp_path / "bad.keras", change_weights(good, change)), "another file")


def link_outside(group):
    group["first/x"] = h5py.ExternalLink("x.h5", "y")
    group["first"].attrs["weight_names"] = [b"x", b"x"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (link_outside, "ExternalLink"),
        (lambda g: g["first"].attrs.__setitem__("weight_names", [b"../../x", b"y"]), "no plain path"),
        (lambda g: g.attrs.__setitem__("layer_names", [b"first", b"first"]), "twice"),
        (lambda g: g.attrs.__setitem__("layer_names", [b"gone"]), "no group for it"),
        (lambda g: g.attrs.__setitem__("layer_names", 3.0), "no list of names"),
        (lambda g: g["first"].attrs.__setitem__("weight_names", [b"model/first/kernel"]), "the file has 1"),
    ],
)  # fmt: skip
def test_old_layout(refused, tmp_path, change, match):  # H24, H32, H33
    model_of_layers().save(tmp_path / "bad.h5")
    with h5py.File(tmp_path / "bad.h5", "r+") as file:
        change(file["model_weights"])
    refused(tmp_path / "bad.h5", match)


@pytest.mark.parametrize("keep", [9, 100, 0.5, 0.9])
def test_truncated_hdf5(refused, tmp_path, keep):  # H34
    path = tmp_path / "bad.h5"
    model_of_layers().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: keep if keep > 1 else int(keep * len(whole))])
    refused(path, "cannot be read as HDF5")
