"""The command `cornu`."""
