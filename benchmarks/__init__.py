"""Cornu's speed, memory and size beside those of what a user would pick instead. Run with ``scripts/bench``."""
