"""The kept files, each at every way in: read or refused as it was then, and nothing else happens."""

from pathlib import Path

import pytest

import cornu
from saving import corpus, doors, mutations

FILES = corpus.load()
OWN = (".json", ".safetensors")  # read by this library alone: what comes out depends on no version of another
WATCH = doors.Watch(Path("/nonexistent"))


@pytest.fixture(scope="module")
def targets():
    """Give the models that the files fit; what is loaded and compiled only once is."""
    stack, graph = mutations.models(cornu)
    return {"stack": stack, "graph": graph}


def test_the_files_are_small_and_of_every_kind():
    assert corpus.ZIP.stat().st_size < 500_000
    assert {kept.name for kept in FILES.values()} >= {"graph.keras", "stack.h5", "graph.checkpoint", "data.npz"}
    outcomes = [read for kept in FILES.values() for read in kept.read.values()]
    assert any(outcomes)
    assert not all(outcomes)


@pytest.mark.parametrize("name", sorted({kept.name for kept in FILES.values()}))
def test_kept_files(name, targets, tmp_path):
    path = tmp_path / "file"
    target = targets["graph" if name.startswith("graph") else "stack"]
    for number, kept in FILES.items():
        if kept.name != name:
            continue
        path.write_bytes(kept.content)
        found = {}
        for way in doors.ways_in(name, name.rpartition(".")[2], target):
            WATCH.file, WATCH.active = str(path), True
            try:
                with doors.silent():
                    way(path)
                found[way.__name__] = True
            except doors.REFUSED:
                found[way.__name__] = False
            finally:
                WATCH.active = False
            did, WATCH.seen = WATCH.seen, []
            assert not did, f"{number} ({name}) by {way.__name__} did {did}"
        if name.endswith(OWN):
            assert found == kept.read, f"{number} ({name})"
