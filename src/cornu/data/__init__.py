"""Data: what `fit`, `evaluate` and `predict` accept, made into batches."""
