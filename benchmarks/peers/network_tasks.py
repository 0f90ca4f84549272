"""Convolutional networks, and single layers, that every peer trains: graphs of `network_graphs`."""

from benchmarks.peers.network_graphs import Graph


def _classified(graph, x, classes=10):
    return graph.activation(graph.dense(x, classes), "softmax")


def _conv_norm(graph, x, filters, window=3, activation="relu", **options):
    x = graph.norm(graph.conv(x, filters, window, bias=False, **options))
    return graph.activation(x, activation) if activation else x


def resnet():
    """Return ResNet-20 for CIFAR: He et al. 2016, https://arxiv.org/abs/1512.03385."""
    graph = Graph((32, 32, 3))
    x = _conv_norm(graph, 0, 16)
    for filters in (16, 32, 64):
        for block in range(3):
            strides = 2 if filters > 16 and block == 0 else 1
            y = _conv_norm(graph, x, filters, strides=strides)
            y = _conv_norm(graph, y, filters, activation=None)
            if strides > 1:
                x = _conv_norm(graph, x, filters, 1, None, strides=2)
            x = graph.activation(graph.add(x, y), "relu")
    _classified(graph, graph.average(x))
    return graph


def mobilenet(width=0.5):
    """Return MobileNetV2 for small images: Sandler et al. 2018, https://arxiv.org/abs/1801.04381."""
    graph = Graph((32, 32, 3))
    x = _conv_norm(graph, 0, int(32 * width), activation="relu6")
    table = [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, filters, blocks, first in table:
        for strides in [first] + [1] * (blocks - 1):
            x = _inverted_residual(graph, x, expansion, int(filters * width), strides)
    x = _conv_norm(graph, x, 1280, 1, "relu6")
    _classified(graph, graph.average(x))
    return graph


def _inverted_residual(graph, x, expansion, filters, strides):
    before = graph.shape(x)[-1]
    y = _conv_norm(graph, x, expansion * before, 1, "relu6") if expansion > 1 else x
    y = graph.norm(graph.depthwise(y, 3, strides, bias=False))
    y = _conv_norm(graph, graph.activation(y, "relu6"), filters, 1, None)
    return graph.add(x, y) if strides == 1 and before == filters else y


def efficientnet():
    """Return blocks of EfficientNet for small images: Tan and Le 2019, https://arxiv.org/abs/1905.11946."""
    graph = Graph((32, 32, 3))
    x = _conv_norm(graph, 0, 16, activation="swish")
    for expansion, filters, blocks, first, window in [(4, 24, 2, 2, 3), (4, 40, 2, 2, 5), (4, 80, 2, 2, 3)]:
        for strides in [first] + [1] * (blocks - 1):
            before, wide = graph.shape(x)[-1], expansion * graph.shape(x)[-1]
            y = _conv_norm(graph, x, wide, 1, "swish")
            y = graph.activation(graph.norm(graph.depthwise(y, window, strides, bias=False)), "swish")
            squeezed = graph.activation(graph.conv(graph.average(y, True), max(1, before // 4), 1), "swish")
            y = graph.multiply(y, graph.activation(graph.conv(squeezed, wide, 1), "sigmoid"))
            y = _conv_norm(graph, y, filters, 1, None)
            x = graph.add(x, y) if strides == 1 and before == filters else y
    x = _conv_norm(graph, x, 320, 1, "swish")
    _classified(graph, graph.average(x))
    return graph


def densenet(growth=12, layers=6):
    """Return a small DenseNet: Huang et al. 2017, https://arxiv.org/abs/1608.06993."""
    graph = Graph((32, 32, 3))
    x = graph.conv(0, 2 * growth, 3, bias=False)
    for block in range(3):
        for _ in range(layers):
            y = graph.activation(graph.norm(x), "relu")
            x = graph.concatenate(x, graph.conv(y, growth, 3, bias=False))
        x = graph.activation(graph.norm(x), "relu")
        if block < 2:
            x = graph.pool(graph.conv(x, graph.shape(x)[-1] // 2, 1, bias=False), "average", 2, 2)
    _classified(graph, graph.average(x))
    return graph


def unet():
    """Return a U-Net of two levels: one transposed convolution and one upsampling; a class for each pixel."""
    graph = Graph((64, 64, 1))

    def twice(x, filters):
        for _ in range(2):
            x = graph.activation(graph.conv(x, filters, 3), "relu")
        return x

    high = twice(0, 16)
    middle = twice(graph.pool(high, "max", 2, 2), 32)
    low = twice(graph.pool(middle, "max", 2, 2), 64)
    x = twice(graph.concatenate(graph.transposed(low, 32, 2, 2), middle), 32)
    x = twice(graph.concatenate(graph.conv(graph.upsample(x, 2), 16, 3), high), 16)
    graph.activation(graph.conv(x, 4, 1), "softmax")
    return graph


def tcn():
    """Return residual blocks of causal dilated convolutions: Bai et al. 2018, https://arxiv.org/abs/1803.01271."""
    graph = Graph((128, 16))
    x = 0
    for dilation in (1, 2, 4, 8):
        y = x
        for _ in range(2):
            y = graph.activation(graph.conv(y, 64, 3, padding="causal", dilation=dilation), "relu")
        x = graph.activation(graph.add(y, graph.conv(x, 64, 1) if x == 0 else x), "relu")
    _classified(graph, graph.average(x))
    return graph


def generator():
    """Return DCGAN's generator, smaller: Radford et al. 2016, https://arxiv.org/abs/1511.06434."""
    graph = Graph((100,))
    x = graph.reshape(graph.dense(0, 4 * 4 * 128), (4, 4, 128))
    x = graph.activation(graph.norm(x), "relu")
    for filters in (64, 32):
        x = graph.activation(graph.norm(graph.transposed(x, filters, 4, 2, bias=False)), "relu")
    graph.activation(graph.transposed(x, 3, 4, 2), "tanh")
    return graph


def discriminator():
    """Return DCGAN's discriminator, smaller."""
    graph = Graph((32, 32, 3))
    x = graph.activation(graph.conv(0, 32, 4, strides=2), "leaky_relu")
    for filters in (64, 128):
        x = graph.activation(graph.norm(graph.conv(x, filters, 4, strides=2, bias=False)), "leaky_relu")
    graph.activation(graph.dense(graph.flatten(x), 1), "sigmoid")
    return graph


def volumes():
    """Return a network of three-dimensional convolutions."""
    graph, x = Graph((16, 16, 16, 2)), 0
    for filters in (16, 32):
        x = graph.pool(graph.activation(graph.conv(x, filters, 3), "relu"), "max", 2, 2)
    x = graph.activation(graph.conv(x, 64, 3), "relu")
    _classified(graph, graph.average(x))
    return graph


def vgg():
    """Return a small VGG: Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556."""
    graph, x = Graph((32, 32, 3)), 0
    for filters in (32, 64, 128):
        for _ in range(2):
            x = graph.activation(graph.conv(x, filters, 3), "relu")
        x = graph.pool(x, "max", 2, 2)
    x = graph.activation(graph.dense(graph.flatten(x), 256), "relu")
    _classified(graph, x)
    return graph


def _layer(shape, add, channels_first=False):
    """Return a network with one layer between a 1x1 convolution and the mean over space."""
    graph = Graph(shape, channels_first)
    x = graph.conv(0, shape[-1], 1) if channels_first else graph.dense(0, shape[-1])
    _classified(graph, graph.average(add(graph, x)))
    return graph


IMAGES, SERIES = (16, 16, 64), (128, 64)
#: name -> what it is, the graph's maker, batch
NETWORKS = {
    "resnet": ("ResNet-20, 32x32x3", resnet, 64),
    "mobilenet": ("MobileNetV2, half as wide, 32x32x3", mobilenet, 64),
    "efficientnet": ("EfficientNet's blocks, 32x32x3", efficientnet, 64),
    "densenet": ("DenseNet, 3 blocks of 6 layers, growth 12, 32x32x3", densenet, 64),
    "unet": ("U-Net 16-32-64, 64x64x1", unet, 16),
    "tcn": ("TCN, 4 blocks of causal Conv1D 64, 128 x 16", tcn, 64),
    "generator": ("DCGAN generator to 32x32x3", generator, 64),
    "discriminator": ("DCGAN discriminator, 32x32x3", discriminator, 64),
    "volumes": ("Conv3D 16-32-64, 16x16x16x2", volumes, 16),
    "vgg": ("VGG 32-64-128, 32x32x3", vgg, 64),
}


def _layers():
    """Yield (name, what it is, shape, function that adds the layer, whether channels are first)."""

    def on_images(name, about, add, shape=IMAGES, first=False):
        return name, f"{about}, {'x'.join(map(str, shape))}", shape, add, first

    yield on_images("depthwise", "DepthwiseConv2D 3x3", lambda g, x: g.depthwise(x, 3))
    yield on_images("depthwise-strides", "DepthwiseConv2D 3x3, strides 2", lambda g, x: g.depthwise(x, 3, 2))
    yield on_images("depthwise-dilated", "DepthwiseConv2D 3x3, dilation 2", lambda g, x: g.depthwise(x, 3, 1, 2))
    yield on_images("separable", "SeparableConv2D 3x3 to 64", lambda g, x: g.separable(x, 64, 3))
    yield on_images("groups", "Conv2D 3x3 to 64, groups 4", lambda g, x: g.conv(x, 64, 3, groups=4))
    yield on_images("conv3d", "Conv3D 3x3x3 to 16", lambda g, x: g.conv(x, 16, 3), (8, 16, 16, 8))
    yield on_images("norm", "BatchNormalization", lambda g, x: g.norm(x), (32, 32, 64))
    yield on_images("conv3", "Conv2D 3x3 to 64", lambda g, x: g.conv(x, 64, 3))
    yield on_images("conv3-strides", "Conv2D 3x3 to 64, strides 2", lambda g, x: g.conv(x, 64, 3, 2))
    yield on_images("conv5", "Conv2D 5x5 to 64", lambda g, x: g.conv(x, 64, 5))
    yield on_images("conv7-strides", "Conv2D 7x7 to 32, strides 2", lambda g, x: g.conv(x, 32, 7, 2), (64, 64, 3))
    yield on_images("conv-dilated", "Conv2D 3x3 to 64, dilation 2", lambda g, x: g.conv(x, 64, 3, dilation=2))
    yield on_images("conv1", "Conv2D 1x1 to 128", lambda g, x: g.conv(x, 128, 1))
    yield on_images("transposed", "Conv2DTranspose 3x3 to 32, strides 2", lambda g, x: g.transposed(x, 32, 3, 2))
    yield on_images("conv1d", "Conv1D 5 to 64", lambda g, x: g.conv(x, 64, 5), SERIES)
    yield on_images(
        "conv1d-causal", "Conv1D 3 to 64, causal, dilation 4", lambda g, x: g.conv(x, 64, 3, 1, "causal", 4), SERIES
    )
    yield on_images(
        "channels-first", "Conv2D 3x3 to 64, channels first", lambda g, x: g.conv(x, 64, 3), IMAGES, first=True
    )
    yield on_images("upsample", "UpSampling2D 2, nearest", lambda g, x: g.upsample(x, 2))
    yield on_images("upsample-bilinear", "UpSampling2D 2, bilinear", lambda g, x: g.upsample(x, 2, "bilinear"))
    yield on_images("average-pool", "AveragePooling2D 2", lambda g, x: g.pool(x, "average", 2, 2), (32, 32, 64))
    yield on_images("max-pool", "MaxPooling2D 2", lambda g, x: g.pool(x, "max", 2, 2), (32, 32, 64))
    yield on_images(
        "max-pool-overlapping", "MaxPooling2D 3, strides 2", lambda g, x: g.pool(x, "max", 3, 2, "same"), (32, 32, 64)
    )
    yield on_images("global-average", "GlobalAveragePooling2D", lambda g, x: x, (32, 32, 64))


LAYERS = {
    f"layer-{name}": (about, lambda shape=shape, add=add, first=first: _layer(shape, add, first), 32)
    for name, about, shape, add, first in _layers()
}
MODELS = dict(NETWORKS, **LAYERS)
