"""What Keras has and Cornu has not: what every message about it says, and the docs."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cornu
from cornu import layers
from cornu.compat import absent, names

DOCS = Path(__file__).resolve().parents[2] / "docs" / "differences.md"

#: Program -> what the last lines of its traceback say. Without `install_as_keras`.
MESSAGES = {
    "import cornu; cornu.layers.JaxLayer(3)": "keras.layers.JaxLayer is not in this version of Cornu yet. Use",
    "import cornu; cornu.layers.Highway(3)": "keras.layers.Highway is not in Cornu. Keras dropped it",
    "import cornu; cornu.preprocessing.text.Tokeniser": "has no 'Tokeniser'. Did you mean 'Tokenizer'?",
    "from cornu.utils import np_utils": "' has no module 'np_utils': its names are in cornu.utils.",
    "import cornu; cornu.backend.tf": "'cornu.backend' has no 'tf'.",
    "import cornu; cornu.activatons": "'cornu' has no 'activatons'. Did you mean 'activations'?",
    "import cornu; cornu.layers.Denze": "'cornu.layers' has no 'Denze'. Did you mean 'Dense'?",
    "import cornu; cornu.Dense": "It is in cornu.layers: from cornu.layers import Dense",
    "import cornu.nothing": "No module named 'cornu.nothing'",
}


@pytest.mark.parametrize("program", MESSAGES)
def test_a_missing_name_says_what_to_use_once(program):
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    last = ran.stderr.splitlines()[-1]
    assert MESSAGES[program] in last
    assert last.count("Did you mean") == MESSAGES[program].count("Did you mean")


def test_a_file_with_a_missing_layer_says_what_to_use():
    with pytest.raises(ValueError, match=r"keras\.layers\.JaxLayer is not in this version of Cornu yet\. Use"):
        layers.deserialize({"class_name": "JaxLayer", "config": {"call_fn": 3}})


def test_the_rows_name_places_that_exist():
    for row in (*absent.LATER, *absent.GONE):
        assert row.place in names.PLACES or not row.names, row


def test_what_comes_later_is_not_there_yet():
    """A name that is built leaves the list, which would otherwise give wrong advice."""
    for row in (*absent.LATER, *absent.GONE):
        for module in names.PLACES.get(row.place, ()):
            assert not row.names & vars(importlib.import_module(module)).keys(), row.place
    assert not set(absent.LATER_PLACES) - {"export"} & set(cornu.__all__)


def test_the_docs_have_every_row():
    text = DOCS.read_text(encoding="utf-8")
    for row in absent.LATER:
        assert all(f"`{name}`" in text for name in row.names or [f"keras.{row.place}"]), row
        assert row.instead in text, row
    rows = text.partition("## Not yet in Cornu")[2].partition("\n## ")[0].splitlines()
    said = {name for row in rows if row.startswith("| `") for name in re.findall("`(.+?)`", row.split("|")[1])}
    known = {name for row in absent.LATER for name in row.names or [f"keras.{row.place}"]}
    assert said == known
