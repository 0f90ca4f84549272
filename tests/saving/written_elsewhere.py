"""What other libraries wrote: archives of their files, and programs that write more of them."""

import os
import subprocess
import zipfile
from pathlib import Path

HERE = Path(__file__).parent


def unpacked(archive, tmp_path_factory):
    """Return a folder with the files of an archive."""
    folder = tmp_path_factory.mktemp("kept")
    with zipfile.ZipFile(HERE / archive) as file:
        file.extractall(folder)
    return folder


def run(python, program, task, folder, timeout, **environment):
    """Run one of the programs beside this file with another interpreter; it must end well."""
    command = [python, "-W", "ignore", str(HERE / program), task, str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=os.environ | environment)
    assert ran.returncode == 0, ran.stderr[-2000:]
