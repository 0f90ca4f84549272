"""Programs written for Keras, read as text: scripts, notebooks and Markdown, Python 2 and IPython syntax, old packages.

Read `reading.py` first."""
