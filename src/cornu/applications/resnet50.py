"""ResNet50 under its name of Keras 1 and 2; `resnet.py` has it."""

from cornu.applications.resnet import ResNet50, decode_predictions, preprocess_input
from cornu.core.public import offer

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
offer(globals())
