"""`tf` as a program sees it, for the calls that are compared with TensorFlow's."""

from cornu.compat.tensorflow import functions


class OwnTensorflow:
    """The functions of TensorFlow, and the modules of it that are given."""

    def __init__(self, **modules):
        vars(self).update(modules)

    def __getattr__(self, name):
        return getattr(functions, name)
