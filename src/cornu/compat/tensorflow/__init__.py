"""The stand-in for `tensorflow` under `cornu run`.

`names.py` maps public names to functions; `tape.py` is the gradient tape."""
