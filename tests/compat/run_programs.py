"""Run programs one after another as ``cornu run`` does, and report each as a line of JSON.

Downloads find small stand-ins (`stand_ins.py`).
"""

import contextlib
import gc
import io
import json
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

import stand_ins


def main(programs: list[str]) -> None:
    """Run the programs in one process, each in an empty folder and with settings as after the start."""
    from cornu.cli.run import run
    from cornu.compat.backend import functions
    from cornu.core import scope

    home = tempfile.TemporaryDirectory()
    stand_ins.offer(Path(home.name))
    path, outcome = list(sys.path), sys.stdout
    for program in programs:
        functions.clear_session()
        functions.set_floatx("float32")
        functions.set_image_data_format("channels_last")
        scope.scope.learning_phase = None
        gc.collect()
        sys.path[:], text, start = path, io.StringIO(), time.process_time()
        with (
            contextlib.redirect_stdout(text),
            contextlib.redirect_stderr(text),
            tempfile.TemporaryDirectory() as folder,
        ):
            os.chdir(folder)
            try:
                status = run(program)
            except SystemExit as exit_:
                status = exit_.code or 0
            except BaseException:
                traceback.print_exc()
                status = -1
            os.chdir("/")
        seconds = time.process_time() - start
        line = {"program": program, "status": status, "seconds": round(seconds, 2), "output": text.getvalue()}
        print(json.dumps(line), file=outcome, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
