"""``cornu run --resume DIR``: a program that is killed and restarted ends as if it had not been interrupted."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

from cornu.checkpoints.file import Checkpoint, Generations, from_first, read_checkpoint, write_checkpoint
from cornu.checkpoints.plain_data import Packer, Unpacker, as_value_errors, restore_random
from cornu.checkpoints.resuming import resuming
from cornu.core import era, processes
from cornu.core.seeds import random_states
from cornu.programs.reading import Program


def begin(
    folder: Path, source: Program, arguments: list[str], seconds: float, forced_era: str | None = None
) -> list[str]:
    """Keep every `fit` from now on in `folder`, and resume what is kept there; returns notes for the user.

    A resumed run is of the era in which it began. `forced_era` is what the user asked for, if anything.
    Raises ValueError if the folder belongs to another program, OSError if it cannot be written.
    """
    folder = folder.resolve()
    Generations(folder).prepare()
    start = folder / "start"
    digest = hashlib.sha256("\0".join(cell.text for cell in source.cells).encode()).hexdigest()
    notes = []
    kept = from_first(read_checkpoint(start) if processes.is_first() and start.exists() else None)
    if kept is not None:
        with as_value_errors(f"The folder {str(folder)!r}"):
            content = {"era": era.TODAY} | kept.content
            given = {"program": digest, "arguments": arguments, "era": forced_era or content["era"]}
            _check(folder, content, given)
            era.begin(content["era"])
            restore_random(Unpacker(kept.arrays), kept.content["random"])
        fits = processes.agreed(sum(1 for entry in folder.glob("fit-*") if entry.is_dir()))
        notes = [f"resuming from {folder}, which keeps {fits} call{'' if fits == 1 else 's'} of fit"] if fits else []
    else:
        packer = Packer()
        content = {"program": digest, "arguments": arguments, "era": era.current()}
        content["random"] = packer.pack(random_states())
        if processes.is_first():
            write_checkpoint(start, Checkpoint(content, packer.arrays))
    resuming.start(folder, seconds)
    return notes


def _check(folder: Path, kept: dict[str, Any], given: dict[str, Any]) -> None:
    """Raise ValueError if a folder has the run of another program, or of other arguments."""
    found = {
        "program": "the program's text",
        "arguments": f"its arguments, which were {kept['arguments']}",
        "era": f"its era, which was {kept['era']}",
    }
    changed = [words for name, words in found.items() if kept[name] != given[name]]
    if changed:
        raise ValueError(
            f"{str(folder)!r} has another run. Changed: {' and '.join(changed)}. "
            "Delete that folder to start from scratch, or use another one."
        )


def end(well: bool) -> None:
    """Stop keeping `fit`; what was kept is removed if the program ended without an error."""
    folder = resuming.folder
    resuming.stop()
    if well and folder is not None and processes.is_first():
        for entry in sorted(folder.glob("fit-*")):
            shutil.rmtree(entry, ignore_errors=True)
        (folder / "start").unlink(missing_ok=True)
        Generations(folder).delete()
