"""Exports models as programs that run without Cornu (ONNX), or without the model's code (StableHLO)."""

from cornu.core.public import offer
from cornu.export.formats import export_model
from cornu.export.stablehlo import ExportedModel, load

__all__ = ["ExportedModel", "export_model", "load"]
offer(globals())
