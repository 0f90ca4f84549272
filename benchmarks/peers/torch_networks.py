"""Graphs of networks for the plain PyTorch loop: channels second in shape, last in memory."""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers import network_graphs

ACTIVATIONS = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "swish": nn.SiLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "softmax": lambda: nn.Softmax(1),
}
FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}
LOSSES = {
    "categorical_crossentropy": functional.cross_entropy,
    "binary_crossentropy": functional.binary_cross_entropy_with_logits,
    "mean_squared_error": functional.mse_loss,
}


class Network(nn.Module):
    """Runs the graph's nodes in order. While training, the last activation is part of the loss, unless it is tanh."""

    def __init__(self, graph):
        super().__init__()
        self.graph = graph
        self.steps = nn.ModuleList([_module(graph, number) for number in range(1, len(graph.nodes))])
        self.loss = LOSSES[network_graphs.loss(graph)]
        self.on_logits = network_graphs.loss(graph) != "mean_squared_error"
        self.last = {x: number for number, node in enumerate(graph.nodes) for x in node.inputs}
        rank = len(graph.shape(0)) + 1
        if rank in FORMATS and not graph.channels_first:
            self.to(memory_format=FORMATS[rank])

    def forward(self, x):
        made = {0: x}
        for number, (node, step) in enumerate(zip(self.graph.nodes[1:], self.steps), 1):  # noqa: B905
            if number == len(self.steps) and self.training and self.on_logits:
                return made[node.inputs[0]]
            made[number] = step(*[made[x] for x in node.inputs])
            for x in node.inputs:
                if self.last[x] == number:
                    made.pop(x, None)  # as a local variable is that is overwritten
        return made[number]

    @torch.no_grad()
    def load(self, seed):
        """Put the seed's weights in."""
        for number, arrays in network_graphs.weights(self.graph, seed).items():
            arrays = [torch.from_numpy(array) for array in arrays]
            module, node = self.steps[number - 1], self.graph.nodes[number]
            if node.kind == "norm":
                parts = (module.weight, module.bias, module.running_mean, module.running_var)
            else:
                arrays = self._arranged(number, node, arrays)
                convolutions = module if isinstance(module, nn.Sequential) else [module]
                parts = [part for each in convolutions for part in (each.weight, each.bias) if part is not None]
            for part, array in zip(parts, arrays):  # noqa: B905
                part.copy_(array)

    def _arranged(self, number, node, arrays):
        """Return kernels as PyTorch has them."""
        if node.kind == "dense":
            return self._arranged_dense(number, node, *arrays)
        kernel, *others = arrays
        window = range(kernel.ndim - 2)
        if node.kind == "depthwise":
            return [kernel.permute(-2, -1, *window).flatten(0, 1)[:, None], *others]
        if node.kind == "separable":
            return [kernel.permute(-2, -1, *window), others[0].permute(-1, -2, *window), others[1]]
        # a transposed convolution's kernel ends in filters, channels; PyTorch wants the channels first
        return [kernel.permute(-1, -2, *window), *others]

    def _arranged_dense(self, number, node, kernel, bias):
        before = self.graph.nodes[node.inputs[0]]
        if before.kind == "flatten":
            *space, channels = self.graph.shape(before.inputs[0])
            kernel = kernel.reshape(*space, channels, -1).movedim(-2, 0).flatten(0, -2)
        for after in self.graph.nodes:
            if after.kind == "reshape" and after.inputs == (number,):
                kernel = kernel.reshape(-1, *after.shape).movedim(-1, 1).flatten(1)
                bias = bias.reshape(after.shape).movedim(-1, 0).flatten()
        kernel = kernel.T
        return [kernel.reshape(*kernel.shape, *(1,) * (len(node.shape) - 1)), bias]


def inputs(graph, x):
    """Return a batch of arrays as the network takes it."""
    x = torch.from_numpy(x)
    if x.ndim < 3 or graph.channels_first:
        return x
    return x.movedim(-1, 1).contiguous(memory_format=FORMATS.get(x.ndim, torch.contiguous_format))


def targets(graph, y):
    """Return targets as the loss takes them."""
    if network_graphs.loss(graph) == "categorical_crossentropy":
        return torch.from_numpy(y.argmax(-1))
    y = torch.from_numpy(y)
    return y.movedim(-1, 1).contiguous(memory_format=torch.channels_last) if y.ndim == 4 else y


def outputs(out):
    """Return the network's outputs with channels last."""
    return out.movedim(1, -1)


def use_keras_padding(network, exact):
    """Pad unevenly where Keras does, which takes one more copy; without it, evenly, as PyTorch's users do."""
    for module in network.modules():
        if hasattr(module, "exact"):
            module.exact = exact


def _module(graph, number):
    node = graph.nodes[number]
    o, before = node.options, graph.shape(node.inputs[0])
    rank, channels = len(before) - 1, before[-1]
    if node.kind == "conv":
        made = nn.Conv1d, nn.Conv2d, nn.Conv3d
        layer = made[rank - 1](
            channels, o["filters"], o["window"], o["strides"], 0, o["dilation"], o["groups"], o["bias"]
        )
        reach = (o["window"] - 1) * o["dilation"]
        if o["padding"] == "causal":
            return Uneven(layer, (reach, 0), always=True)
        return _padded(layer, reach + 1, o["strides"], o["padding"])
    if node.kind == "depthwise":
        filters = channels * o["multiplier"]
        layer = nn.Conv2d(channels, filters, o["window"], o["strides"], 0, o["dilation"], channels, o["bias"])
        return _padded(layer, (o["window"] - 1) * o["dilation"] + 1, o["strides"], "same")
    if node.kind == "separable":
        deep = nn.Conv2d(channels, channels, o["window"], padding=o["window"] // 2, groups=channels, bias=False)
        return nn.Sequential(deep, nn.Conv2d(channels, o["filters"], 1))
    if node.kind == "transposed":
        return Transposed(channels, o["filters"], o["window"], o["strides"], o["bias"])
    if node.kind == "pool" and o["of"] == "max":
        return _padded(
            nn.MaxPool2d(o["window"], o["strides"]) if rank == 2 else nn.MaxPool3d(o["window"], o["strides"]),
            o["window"],
            o["strides"],
            o["padding"],
        )
    if node.kind == "pool":
        return nn.AvgPool2d(o["window"], o["strides"])
    if node.kind == "dense":
        made = nn.Linear, *(lambda *sizes, kind=kind: kind(*sizes, 1) for kind in (nn.Conv1d, nn.Conv2d, nn.Conv3d))
        return made[rank](channels, o["units"])
    if node.kind == "norm":
        return (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[rank](channels, eps=1e-3, momentum=0.01)
    if node.kind == "activation":
        return ACTIVATIONS[o["name"]]()
    if node.kind == "upsample":
        aligned = {"align_corners": False} if o["how"] == "bilinear" else {}
        return nn.Upsample(scale_factor=o["size"], mode=o["how"], **aligned)
    if node.kind == "reshape":
        return nn.Unflatten(1, (node.shape[-1], *node.shape[:-1]))
    if node.kind == "flatten":
        return nn.Flatten()
    return Function({
        "add": lambda x, y: x + y,
        "multiply": lambda x, y: x * y,
        "concatenate": lambda *parts: torch.cat(parts, 1),
        "average": lambda x: x.mean(tuple(range(2, x.ndim)), keepdim=o["keepdims"]),
    }[node.kind])  # fmt: skip


class Function(nn.Module):
    """A function of arrays as a module."""

    def __init__(self, function):
        super().__init__()
        self.forward = function


def _padded(layer, reach, strides, padding):
    """Give a layer the padding of Keras's "same" where both sides get as much, else make it `Uneven`."""
    total = max(reach - strides, 0) if padding == "same" else 0
    layer.padding = (-(-total // 2),) * (
        3 if isinstance(layer, nn.Conv3d) else 1 if isinstance(layer, nn.Conv1d) else 2
    )
    if isinstance(layer, (nn.MaxPool2d, nn.MaxPool3d)):
        layer.padding = layer.padding[0]
    return Uneven(layer, (total // 2, total - total // 2)) if total % 2 else layer


class Uneven(nn.Module):
    """A layer that Keras pads more at the end; timed with as much on both sides, unless `always`."""

    def __init__(self, layer, pads, always=False):
        super().__init__()
        self.layer, self.pads, self.always, self.exact = layer, pads, always, False
        self.fill = 0.0 if hasattr(layer, "weight") else float("-inf")
        self.weight, self.bias = getattr(layer, "weight", None), getattr(layer, "bias", None)

    def forward(self, x):
        if not (self.exact or self.always):
            return self.layer(x)
        kept, zero = self.layer.padding, (0,) * len(self.layer.padding) if isinstance(self.layer.padding, tuple) else 0
        self.layer.padding = zero
        y = self.layer(functional.pad(x, self.pads * (x.ndim - 2), value=self.fill))
        self.layer.padding = kept
        return y


class Transposed(nn.ConvTranspose2d):
    """Gives `strides` times the space: exactly where Keras cuts, or evenly, as PyTorch's users do."""

    def __init__(self, channels, filters, window, strides, bias):
        extra = max(window - strides, 0)
        super().__init__(channels, filters, window, strides, -(-extra // 2), extra % 2, bias=bias)
        self.before, self.exact = extra // 2, False

    def forward(self, x):
        if not self.exact or self.padding[0] == self.before:
            return super().forward(x)
        y = functional.conv_transpose2d(x, self.weight, self.bias, self.stride)
        height, width = (size * self.stride[0] for size in x.shape[2:])
        return y[:, :, self.before : self.before + height, self.before : self.before + width]
