"""Programs as ONNX files: each primitive of a traced model becomes ONNX operators. Needs the extra `onnx`."""
