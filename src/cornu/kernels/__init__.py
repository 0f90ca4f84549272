"""Array programs chosen by what was measured on the device: convolutions, products, pooling, random bits.

Read `compiler.py` first (which forms are taken where), then `convolution.py` and `matmul.py`."""
