"""Data: whatever `fit`, `evaluate` and `predict` accept, converted to batches."""
