"""The live web page of training runs.

`callback.py` writes a run file (`run_files.py`), `server.py` serves `dashboard.html`.
"""
