"""What every other part stands on: variables, layers, the graph, configs, precision, names and errors."""

from cornu.core.processor import check_processor

check_processor()
