# Written by scripts/stubs; a test compares.

from cornu.export.formats import export_model as export_model
from cornu.export.stablehlo import ExportedModel as ExportedModel
from cornu.export.stablehlo import load as load
