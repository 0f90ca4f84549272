"""Hashes of strings of every length: FarmHash as published, and SipHash's own test vectors."""

import numpy as np

from cornu.layers.feature_preprocessing.fingerprints import fingerprints, keyed_fingerprints

#: Of the bytes 0, 1, ..., n - 1 with the key 00 01 ... 0f: from the paper's appendix and its reference code.
SIPHASH = {0: 0x726FDB47DD0E0E31, 1: 0x74F839C593DC67FD, 8: 0x93F5F5799A932462, 15: 0xA129CA6149BE45E5}
KEY = [int.from_bytes(bytes(range(8)), "little"), int.from_bytes(bytes(range(8, 16)), "little")]


def test_siphash():
    found = keyed_fingerprints([bytes(range(length)) for length in SIPHASH], KEY)
    assert found.tolist() == list(SIPHASH.values())


def test_strings_of_many_lengths_are_hashed_as_alone():
    strings = [bytes([length % 256] * length) for length in [*range(140), 200, 0, 7, 64]]
    together = fingerprints(strings)
    assert together.dtype == np.uint64
    assert together.tolist() == [int(fingerprints([one])[0]) for one in strings]
    assert len(set(together.tolist())) == len(set(strings))


def test_none_at_all():
    assert fingerprints([]).shape == (0,)
    assert keyed_fingerprints([], [1, 2]).shape == (0,)
