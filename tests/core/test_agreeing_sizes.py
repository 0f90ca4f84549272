"""Operations on symbolic tensors whose unknown axes must agree, with each other or with known sizes."""

import pytest

from cornu import KerasTensor, layers, ops

PAIRS = [
    ("add", (None, 3), (10, 3)),
    ("add", (10, 3), (None, 3)),
    ("add", (None,), (None, 4, 3)),
    ("add", (None, 1), (7, 5, 3)),
    ("add", (None, None), (7, 5, 3)),
    ("add", (None, None), (None, 4, None)),
    ("less", (None, None, 3), (5, 1)),
    ("maximum", (2, None, 1), (None, 7, None)),
    ("matmul", (None,), (10, 3)),
    ("matmul", (None, None), (4, 5)),
    ("matmul", (None, 3), (None, None, 4)),
    ("matmul", (None, None, None), (7, 5, 3)),
    ("matmul", (None, 4, None), (None, None, 3)),
    ("dot", (None, None), (None, 4, 3)),
    ("take_along_axis", (None, 3), (3, None)),
    ("append", (None,), (3, None)),
]


def known_shape(call):
    return tuple(call().shape)


@pytest.mark.parametrize(("name", "one", "other"), PAIRS)
def test_shapes_equal_keras(real_keras, name, one, other):
    options = {"axis": 0} if name == "take_along_axis" else {}
    dtype = "int32" if options else "float32"
    ours = known_shape(lambda: getattr(ops, name)(KerasTensor(one), KerasTensor(other, dtype=dtype), **options))
    tensors = real_keras.KerasTensor(one), real_keras.KerasTensor(other, dtype=dtype)
    assert ours == known_shape(lambda: getattr(real_keras.ops, name)(*tensors, **options))


def test_operators_several_tensors_and_layers():
    x, y = KerasTensor((None, 3)), KerasTensor((10, 3))
    assert (x + y).shape == (x * y - y).shape == (10, 3)
    assert ops.where(KerasTensor((None, 1), dtype="bool"), KerasTensor((7, None)), KerasTensor((3,))).shape == (7, 3)
    assert ops.segment_sum(KerasTensor((None, 4)), KerasTensor((10,), dtype="int32"), num_segments=5).shape == (5, 4)
    assert ops.einsum("ij,jk->ik", KerasTensor((None, None)), KerasTensor((4, 5))).shape == (None, 5)
    assert layers.Add()([x, y]).shape == (10, 3)


def test_axes_are_bound_only_where_they_must_be():
    """Joined along the first axis, only the last ones must agree: the first stays unknown."""
    x, y = KerasTensor((None, 3)), KerasTensor((3, None))
    assert ops.concatenate([x, y], axis=0).shape == (None, 3)
    x, y = KerasTensor((None, None, 4)), KerasTensor((5, 6, None))
    assert ops.concatenate([x, y], axis=0).shape == (None, 6, 4)


@pytest.mark.parametrize(("one", "other"), [((None, 3), (None, 4)), ((None, 5, None), (7, 4, 3)), ((2,), (None, 3))])
def test_sizes_that_cannot_agree_are_refused(one, other):
    with pytest.raises((TypeError, ValueError), match=r"[Ii]ncompatible"):
        KerasTensor(one) + KerasTensor(other)
