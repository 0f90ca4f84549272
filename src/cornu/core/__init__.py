"""What every other part stands on: variables, layers, the graph, configs, precision, names and errors."""
