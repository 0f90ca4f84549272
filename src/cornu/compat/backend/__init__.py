"""The backend functions ``K.*`` of Keras 1 and 2.

`functions.py` is the public module `keras.backend`. `rows.py` lists the functions that `keras.ops` has under other
names, `from_rows.py` makes them; the other files have the functions that behave differently."""
