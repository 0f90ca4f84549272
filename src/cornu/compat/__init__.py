"""Old spellings: tables of old names and keywords, and the code that applies them. The rest works without this folder.

Read `names.py` (names and places) and `arguments.py` (keywords) first; `install.py` lists what the core calls.
`backend/` is ``K.*``, `tensorflow/` the stand-in for TensorFlow, `imports.py` the modules that programs import.
"""
