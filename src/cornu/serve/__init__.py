"""Trained models behind HTTP: two protocols, batches, a page to draw on. Needs the extra ``serve``."""
