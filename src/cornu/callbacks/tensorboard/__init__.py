"""TensorBoard event files, written without TensorFlow.

`callback.py` is the callback; the other files write the format.
"""
