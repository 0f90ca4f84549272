"""``cornu watch``: a page with the runs that reported to a dashboard, current and earlier."""

import argparse
import sys
import time
from pathlib import Path

from cornu.callbacks.dashboard.run_files import runs_folder
from cornu.callbacks.dashboard.server import Server


def command(options: argparse.Namespace) -> int:
    """Show the page until Ctrl-C; return the exit code."""
    folder = runs_folder() if options.folder is None else Path(options.folder)
    if options.folder is not None and not folder.is_dir():
        print(f"cornu: there is no folder {options.folder!r}", file=sys.stderr)
        return 2
    server = Server(folder, port=options.port, token=options.token)
    server.start()
    print(f"The runs are at {server.url} (Ctrl-C stops)", flush=True)
    try:
        while True:
            time.sleep(1)
            server.keep_alive()
    except KeyboardInterrupt:
        return 0
    finally:
        server.close()
