"""The stand-in for `tensorflow` under `cornu run`.

`names.py` maps public names to functions; `rows.py` lists those that `keras.ops` has under other names; `tape.py` is
the gradient tape."""
