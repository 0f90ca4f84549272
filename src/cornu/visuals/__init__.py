"""Pictures and tables of models."""
