"""Programs that are run as a whole."""
