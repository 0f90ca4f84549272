"""The command `cornu`.

Read `main.py` first: it parses the arguments and loads the command's own module (`run.py`, `serve.py`, ...).
"""
