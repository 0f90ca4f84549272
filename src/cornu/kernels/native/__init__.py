"""Kernels in C++, compiled on the user's machine at their first use: an option that nothing needs.

`library` builds, finds and loads the shared library, `convolution` calls it. Without a compiler the programs are
XLA's alone. docs/design/016-native-kernels.md has the measurements.
"""
