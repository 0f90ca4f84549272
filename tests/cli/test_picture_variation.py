import numpy as np

from cornu.cli.picture_variation import PictureVariation, warped


def pictures():
    return np.random.default_rng(0).integers(0, 256, (3, 10, 10, 3)).astype("uint8")


def rows(value):
    return np.full(3, value, "float32")


def test_nothing_changes_outside_training_or_without_variation():
    x = pictures()
    for layer, training in ((PictureVariation(), False), (PictureVariation(varied=False), True)):
        found = layer(x, training=training)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, x)


def test_pictures_are_moved_turned_and_mirrored_as_said():
    x, zero = pictures().astype("float32"), np.zeros((3, 2), "float32")
    np.testing.assert_allclose(warped(x, rows(0), zero, rows(0), rows(1)), x, atol=1e-3)
    np.testing.assert_allclose(warped(x, rows(0), zero, rows(0), rows(-1)), x[:, :, ::-1], atol=1e-3)
    moved = warped(x, rows(0), np.tile([0.0, 0.2], (3, 1)), rows(0), rows(1))
    np.testing.assert_allclose(moved[:, :, :8], x[:, :, 2:], atol=1e-2)
    turned = warped(x, rows(np.pi / 2), zero, rows(0), rows(1))
    np.testing.assert_allclose(turned, np.rot90(x, 1, axes=(1, 2)), atol=1e-1)


def test_each_picture_and_each_call_is_changed_in_another_way():
    layer = PictureVariation(seed=1)
    x = np.repeat(pictures()[:1], 3, axis=0)
    first, second = (np.asarray(layer(x, training=True)) for _ in range(2))
    assert np.abs(first[0] - first[1]).max() > 1
    assert np.abs(first - second).max() > 1
    assert first.min() >= 0
    assert first.max() <= 255
    np.testing.assert_array_equal(first, PictureVariation(seed=1)(x, training=True))
