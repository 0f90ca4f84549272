"""A file is replaced as a whole or not at all."""

import os
import resource
import stat

import h5py
import pytest

from cornu.core import atomic_files
from cornu.core.atomic_files import replacing
from cornu.saving import load_model, save_weights


def test_the_new_file_takes_the_place_of_the_old_one_with_its_permissions(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o640)
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["file"]


def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_text("")
    with replacing(tmp_path / "new") as temporary:
        temporary.write_text("")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_is_followed(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    with replacing(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


@pytest.mark.parametrize("step", ["flush_to_disk", "flush_folder", "replace"])
def test_a_failing_step_leaves_a_whole_file_and_no_other(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "replace") if step == "replace" else (atomic_files, step)), fail)
    with pytest.raises(OSError, match="No space left"), replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == ("new" if step == "flush_folder" else "old")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_a_save_that_fails_midway_leaves_the_old_model(small, tmp_path, monkeypatch, suffix):
    path = tmp_path / f"m{suffix}"
    save = (lambda: save_weights(small, path)) if suffix == ".weights.h5" else (lambda: small.save(path))
    save()
    before = path.read_bytes()
    calls = []
    create = h5py.Group.create_dataset

    def fail_later(*args, **kwargs):
        calls.append(args)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return create(*args, **kwargs)

    monkeypatch.setattr(h5py.Group, "create_dataset", fail_later)
    small.layers[0].kernel.assign(small.layers[0].kernel.value + 1)
    with pytest.raises(OSError, match="No space left"):
        save()
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_the_order_is_write_sync_rename_sync_of_the_folder(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    rename = os.replace
    monkeypatch.setattr(os, "replace", lambda old, new: (seen.append("rename"), rename(old, new))[1])
    with replacing(tmp_path / "file") as temporary:
        temporary.write_text("new")
    assert seen == [str(temporary), "rename", str(tmp_path)]


def test_targets_that_cannot_be_written_are_rejected_with_a_clear_error(small, tmp_path):
    small.save(tmp_path / "m.keras")
    with pytest.raises(FileExistsError, match="overwrite=False"):
        small.save(tmp_path / "m.keras", overwrite=False)
    with pytest.raises(FileExistsError, match="overwrite=False"):
        small.save_weights(tmp_path / "m.keras", overwrite=False)
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere.*Make it first"):
        small.save(tmp_path / "nowhere" / "m.keras")
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        small.save_weights(tmp_path)
    assert load_model(tmp_path / "m.keras").name == small.name


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5", ".safetensors"])
def test_a_disk_that_is_full_at_any_byte_leaves_the_old_model(small, tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    save = small.save if suffix in (".keras", ".h5") else small.save_weights
    save(path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (0, len(before) // 3, len(before) - 1):
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))  # the system refuses to write beyond it
            with pytest.raises(OSError, match=r"Cannot save to .*as it was"):
                save(path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == [path.name]
    save(path)


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".stablehlo"])
def test_what_a_failing_write_was_given_is_no_view_of_a_buffer(small, tmp_path, monkeypatch, suffix):
    """From Python 3.13 on, a buffer that is freed while something still looks into it complains."""
    written = []

    def fail(self, *given):
        written.append(given[-1])
        if len(given[-1]) > 1000:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("zipfile.ZipFile.writestr", fail)
    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        (small.export if suffix == ".stablehlo" else small.save)(tmp_path / f"m{suffix}")
    assert not [one for one in written if isinstance(one, memoryview)]
