"""Kernels in C++, compiled on the user's machine at their first use: an option that nothing needs.

`library` builds, finds and loads shared libraries, `convolution` and `pictures` have one each. Without a compiler the
programs are XLA's alone, and pictures are read by numpy and Pillow. docs/design/016-native-kernels.md and
018-pictures.md have the measurements.
"""
