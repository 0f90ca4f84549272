"""Array programs in the forms that measured fastest: convolutions, products, pooling, random bits.

Read `compiler.py` first (which forms are used where), then `convolution.py` and `matmul.py`.
"""
