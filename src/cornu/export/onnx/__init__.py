"""Programs as ONNX files: each primitive operation of a traced model becomes ONNX operators. Needs the extra `onnx`."""
