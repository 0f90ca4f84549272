"""Checkpoints of a training in progress, and how it resumes bit for bit.

Read `fit_backup.py` first: it says what a checkpoint holds and when it is written."""
