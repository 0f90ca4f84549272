"""The live page of running trainings.

`callback.py` writes a run file (`run_files.py`), `server.py` serves `dashboard.html`."""
