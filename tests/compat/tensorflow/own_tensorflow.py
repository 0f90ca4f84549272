"""`tf` as a program sees it, for the calls that are compared with TensorFlow's."""

import importlib

from cornu.compat.tensorflow.names import NAMES


class OwnTensorflow:
    """The functions of TensorFlow, and the modules of it that are given."""

    def __init__(self, **modules):
        vars(self).update(modules)

    def __getattr__(self, name):
        module, _, target = NAMES["tensorflow"][name].partition(":")
        return getattr(importlib.import_module(module), target)
