"""The backend functions ``K.*`` of Keras 1 and 2.

`functions.py` is the public module `keras.backend`; the other files hold its groups."""
