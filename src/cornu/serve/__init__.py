"""Trained models over HTTP: two protocols, batching, and a page to draw on. Needs the extra ``serve``.

Read `server.py` first (the process), then `application.py` (routes), `served_model.py` (a model prepared for requests)
and `batching.py`. `inference_protocol.py` and `tensorflow_protocol.py` are the two protocols; `direct_protocol.py` is
the fast path for their usual requests.
"""
