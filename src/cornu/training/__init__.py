"""Training: one pure step, the ways to run it, and the loop over epochs."""
