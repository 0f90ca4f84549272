"""Files that layers keep beside the weights in a ``.keras`` file, such as vocabularies: ``assets/layers/.../``."""

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from cornu.core.errors import one_line
from cornu.saving.archive import ASSETS, EARLIEST, is_asset_name, read_member
from cornu.saving.hdf5_limits import BEST_PACKING, SMALL
from cornu.saving.source import Source
from cornu.saving.variable_paths import Place, places


def assets_of(model: Any) -> dict[str, bytes]:
    """Return the assets of all layers of a model by the names that they have in an archive."""
    folders = {_folder(place): place.owner for place in places(model, optimizer=False)}
    return {
        f"{folder}{name}": content for folder, owner in folders.items() for name, content in _assets_of(owner).items()
    }


def write_assets(archive: zipfile.ZipFile, model: Any) -> None:
    """Write the assets of all layers of a model into an archive."""
    found = assets_of(model)
    for name in sorted(found):
        if not is_asset_name(name):
            raise ValueError(
                f"A layer saves an asset as {one_line(name, 200)!r}. Use names of letters, digits and . _ - + = @ ( ), "
                "which do not end with a dot."
            )
        archive.writestr(zipfile.ZipInfo(name, EARLIEST), found[name])


def read_assets(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Return the assets in an archive by the names of their members; together their size must be plausible."""
    infos = [info for info in archive.infolist() if info.filename.startswith(ASSETS)]
    left = max(BEST_PACKING * sum(info.compress_size for info in infos), SMALL)
    found = {}
    for info in infos:
        found[info.filename] = read_member(archive, info.filename, left)
        left -= info.file_size
    return found


def set_assets(model: Any, found: dict[str, bytes], source: Source) -> None:
    """Give the layers of a model their assets. ValueError if one does not fit, or belongs to no layer."""
    waiting = dict(found)
    # A layer may have others inside it, so the longest folders come first.
    for place in sorted(places(model, optimizer=False), key=lambda place: -len(place.path)):
        folder = _folder(place)
        own = {name.removeprefix(folder): waiting.pop(name) for name in list(waiting) if name.startswith(folder)}
        if own and not hasattr(place.owner, "load_assets"):
            waiting |= {f"{folder}{name}": content for name, content in own.items()}
        elif own:
            try:
                _set(place.owner, own)
            except ValueError as error:
                raise ValueError(f"{error}\nThis came up in the assets of {source}.") from None
    if waiting:
        raise ValueError(
            f"The file {source} contains {one_line(min(waiting), 200)!r}, an asset of a layer that the model does not "
            "have: refused."
        )


def _folder(place: Place) -> str:
    return f"{ASSETS}{place.path}/" if place.path else ASSETS


def _assets_of(layer: Any) -> dict[str, bytes]:
    """Return the assets of a layer by their names: texts of the library's own layers, files of custom ones."""
    if hasattr(layer, "assets"):
        return {name: text.encode() for name, text in layer.assets().items()}
    if not hasattr(layer, "save_assets"):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        layer.save_assets(folder)
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _set(layer: Any, found: dict[str, bytes]) -> None:
    if hasattr(layer, "load_assets_text"):
        layer.load_assets_text({name: _text(name, content) for name, content in found.items()})
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, content in found.items():
            path = Path(folder, name)  # `check_members` has checked that names stay below
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        layer.load_assets(folder)


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"The asset {one_line(name, 200)!r} is not text in UTF-8: {error}.") from None
