"""What runs inside each peer's own virtual environment; written for Python 3.7 and later, numpy alone at import."""
