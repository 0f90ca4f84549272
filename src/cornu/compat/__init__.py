"""Old spellings: tables of old names and keywords, and what applies them. The rest works without this folder.

Read `names.py` (names and places) and `arguments.py` (keywords) first; `install.py` says what the core asks for.
`backend/` is ``K.*``, `tensorflow/` the stand-in for TensorFlow, `imports.py` the modules that programs import.
"""
