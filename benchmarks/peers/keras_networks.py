"""Graphs of networks for Cornu and Keras 3, as their users would write them with functional models."""

from benchmarks.peers import network_graphs


def model(keras, graph):
    """Return the functional model; each layer with weights has its node's number in its name."""
    made = []
    for number, node in enumerate(graph.nodes):
        if node.kind == "input":
            made.append(keras.Input(as_arrays(graph, node.shape)))
            continue
        layer = _layer(keras, graph, f"node{number}", node)
        inputs = [made[each] for each in node.inputs]
        made.append(layer(inputs[0] if len(inputs) == 1 else inputs))
    return keras.Model(made[0], made[-1])


def as_arrays(graph, shape):
    """Return the shape that arrays of the network have."""
    return (shape[-1], *shape[:-1]) if graph.channels_first and len(shape) > 1 else shape


def load(model, graph, seed):
    """Put the seed's weights in."""
    for number, arrays in network_graphs.weights(graph, seed).items():
        model.get_layer(f"node{number}").set_weights(arrays)


def _layer(keras, graph, name, node):
    layers, o, rank = keras.layers, node.options, len(graph.shape(node.inputs[0])) - 1
    placed = {"name": name, "data_format": "channels_first" if graph.channels_first else "channels_last"}
    if node.kind == "conv":
        return getattr(layers, f"Conv{rank}D")(
            o["filters"],
            o["window"],
            strides=o["strides"],
            padding=o["padding"],
            dilation_rate=o["dilation"],
            groups=o["groups"],
            use_bias=o["bias"],
            **placed,
        )
    if node.kind == "depthwise":
        return layers.DepthwiseConv2D(
            o["window"],
            strides=o["strides"],
            padding="same",
            dilation_rate=o["dilation"],
            depth_multiplier=o["multiplier"],
            use_bias=o["bias"],
            **placed,
        )
    if node.kind == "separable":
        return layers.SeparableConv2D(o["filters"], o["window"], padding="same", **placed)
    if node.kind == "transposed":
        return layers.Conv2DTranspose(
            o["filters"], o["window"], strides=o["strides"], padding="same", use_bias=o["bias"], **placed
        )
    if node.kind == "pool":
        made = getattr(layers, f"{'Max' if o['of'] == 'max' else 'Average'}Pooling{rank}D")
        return made(o["window"], strides=o["strides"], padding=o["padding"], **placed)
    if node.kind == "average":
        return getattr(layers, f"GlobalAveragePooling{rank}D")(keepdims=o["keepdims"], **placed)
    if node.kind == "upsample":
        return layers.UpSampling2D(o["size"], interpolation=o["how"], **placed)
    if node.kind == "activation":
        if o["name"] == "leaky_relu":
            return layers.LeakyReLU(negative_slope=0.2, name=name)
        return layers.Activation(o["name"], name=name)
    if node.kind == "dense":
        return layers.Dense(o["units"], name=name)
    if node.kind == "reshape":
        return layers.Reshape(node.shape, name=name)
    made = {
        "norm": layers.BatchNormalization,
        "add": layers.Add,
        "multiply": layers.Multiply,
        "concatenate": layers.Concatenate,
        "flatten": layers.Flatten,
    }[node.kind]
    return made(name=name)
