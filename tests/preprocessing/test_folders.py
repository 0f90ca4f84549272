import os

import numpy as np
import pytest

from cornu.preprocessing import folders

ENDINGS = (".png", ".jpg")
FILES = ("b/2.png", "b/10.png", "b/deep/x.JPG", "a/1.jpg", "a/.hidden.png", "a/notes.txt", "c c/ü.png", "top.png")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path.parent)
    return tmp_path


def of_keras(directory, **arguments):
    utils = pytest.importorskip("keras.src.utils.dataset_utils")
    return utils.index_directory(directory, formats=ENDINGS, verbose=False, **arguments)


@pytest.mark.parametrize("seed", [None, 1, 42])
@pytest.mark.parametrize("labels", ["inferred", None, [3, 1, 2, 3, 1, 5, 4]])
@pytest.mark.parametrize("relative", [False, True])
def test_files_classes_and_order_are_those_of_keras(folder, seed, labels, relative):
    directory = f"./{folder.name}/" if relative else folder
    labels = labels[:] if isinstance(labels, list) else labels
    found = folders.listed(directory, labels, ENDINGS, shuffle_seed=seed)
    paths, numbers, names = of_keras(str(directory), labels=labels, shuffle=seed is not None, seed=seed)
    assert [os.path.normpath(path) for path in found.paths] == [os.path.normpath(path) for path in paths]
    assert found.class_names == names
    assert (found.labels is None) == (numbers is None)
    if numbers is not None:
        np.testing.assert_array_equal(found.labels, numbers)


def test_chosen_classes_in_the_given_order(folder):
    found = folders.listed(folder, "inferred", ENDINGS, class_names=["c c", "a"])
    paths, numbers, names = of_keras(str(folder), labels="inferred", class_names=["c c", "a"], shuffle=False)
    assert (found.paths, found.labels.tolist(), found.class_names) == (paths, numbers.tolist(), names)


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_links_are_followed_if_wanted(folder):
    (folder / "a" / "link").symlink_to(folder / "b", target_is_directory=True)
    for follow in (False, True):
        found = folders.listed(folder, "inferred", ENDINGS, follow_links=follow)
        assert found.paths == of_keras(str(folder), labels="inferred", shuffle=False, follow_links=follow)[0]
    assert any("link" in path for path in found.paths)


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5])
def test_parts_are_those_of_keras(folder, fraction):
    utils = pytest.importorskip("keras.src.utils.dataset_utils")
    found = folders.listed(folder, "inferred", ENDINGS, shuffle_seed=7)
    if int(fraction * len(found.paths)) == 0:
        with pytest.raises(ValueError, match="leaves no file for one"):
            folders.split(found, fraction)
        return
    for name, part in zip(("training", "validation"), folders.split(found, fraction), strict=True):
        paths, labels = utils.get_training_or_validation_split(found.paths, found.labels, fraction, name)
        assert part.paths == paths
        np.testing.assert_array_equal(part.labels, labels)


def test_what_is_wrong_with_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder 'nothing'"):
        folders.listed("nothing", "inferred", ENDINGS)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="is a file"):
        folders.listed(tmp_path / "file", "inferred", ENDINGS)
    with pytest.raises(ValueError, match="has no subfolders"):
        folders.listed(tmp_path, "inferred", ENDINGS)
    (tmp_path / "cat").mkdir()
    with pytest.raises(ValueError, match=r"There is no file \.png or \.jpg in"):
        folders.listed(tmp_path, "inferred", ENDINGS)
    (tmp_path / "cat" / "a.webp").write_bytes(b"")
    with pytest.raises(ValueError, match=r"it has \.webp, which Keras does not read"):
        folders.listed(tmp_path, "inferred", ENDINGS)
    (tmp_path / "cat" / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"class_names has \['dog'\]"):
        folders.listed(tmp_path, "inferred", ENDINGS, class_names=["dog"])
    with pytest.raises(ValueError, match="labels has 2 labels"):
        folders.listed(tmp_path, [1, 2], ENDINGS)
    with pytest.raises(ValueError, match="must be a list of integers"):
        folders.listed(tmp_path, ["cat"], ENDINGS)
    (tmp_path / "dog").mkdir()
    with pytest.warns(UserWarning, match="1 folders without files for a class: 'dog'"):
        found = folders.listed(tmp_path, "inferred", ENDINGS)
    assert found.class_names == ["cat", "dog"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.2, None, False, None), "belong together"),
        ((None, "training", False, None), "belong together"),
        ((1.5, "training", False, None), "between 0 and 1"),
        ((0.2, "test", False, None), "must be 'training'"),
        ((0.2, "both", True, None), "needs a seed"),
    ],
)
def test_contradicting_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        folders.check_split(*arguments)
