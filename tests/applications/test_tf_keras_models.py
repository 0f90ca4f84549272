"""ResNet-RS and RegNet of tf.keras: which published weights they know."""

import pytest

from cornu import applications


@pytest.mark.parametrize("weights", ["imagenet-i96", "imagenet-i"])
def test_weights_of_unpublished_sizes_are_named(weights):
    with pytest.raises(ValueError, match="there are: 'imagenet-i160', 'imagenet'"):
        applications.ResNetRS50(weights=weights)


def test_regnet_without_published_weights():
    with pytest.raises(ValueError, match="There are no weights of ImageNet for 'mine'"):
        applications.regnet.RegNet((1, 1), (16, 32), 8, "X", 64, model_name="mine")
