"""Layers of sequences for the plain PyTorch loop; each takes its weights from an iterator in Keras's order."""

import torch
from torch import nn
from torch.nn import functional


def module(layer, before):
    """Return the module of a task's tuple, for inputs of the shape `before`."""
    kind, width = layer[0], before[-1]
    if kind == "embedding":
        return Embedding(layer[1], layer[2])
    if kind == "block":
        return Block(width, *layer[1:])
    if kind == "average":
        return Average()
    return Recurrent(kind, width, *layer[1:])


def parts(model):
    """Yield the modules that take weights, in their order: those of this file whole, others with what is inside."""
    inside = {id(part) for each in model.modules() if isinstance(each, KINDS) for part in list(each.modules())[1:]}
    return [each for each in model.modules() if id(each) not in inside]


def tensor(weights):
    return torch.from_numpy(next(weights))


class Embedding(nn.Embedding):
    def load(self, weights):
        self.weight.copy_(tensor(weights))


class Average(nn.Module):
    def load(self, weights):
        pass

    def forward(self, x):
        return x.mean(1)


class Recurrent(nn.Module):
    """nn.LSTM or nn.GRU with the last output; `stateful` goes on from the states of the call before."""

    def __init__(self, kind, width, units, stateful=False):
        super().__init__()
        self.kind, self.stateful, self.states = kind, stateful, None
        made = nn.GRU if kind == "gru" else nn.LSTM
        self.layer = made(width, units, batch_first=True, bidirectional=kind == "birnn")
        if kind != "gru":  # Keras's LSTM has one bias
            for name, weight in self.layer.named_parameters():
                weight.requires_grad_("bias_hh" not in name)

    def load(self, weights):
        self.states = None
        for suffix in ["", "_reverse"] if self.kind == "birnn" else [""]:
            for name in ("weight_ih_l0", "weight_hh_l0"):
                getattr(self.layer, name + suffix).copy_(self._ordered(tensor(weights).T))
            bias = tensor(weights)
            inputs, states = bias if bias.ndim == 2 else (bias, torch.zeros_like(bias))
            getattr(self.layer, "bias_ih_l0" + suffix).copy_(self._ordered(inputs))
            getattr(self.layer, "bias_hh_l0" + suffix).copy_(self._ordered(states))

    def _ordered(self, weight):
        """Return a weight with its gates in PyTorch's order: a GRU's are reset, update, new; Keras's update first."""
        if self.kind != "gru":
            return weight
        update, reset, new = weight.chunk(3)
        return torch.cat([reset, update, new])

    def forward(self, x):
        out, states = self.layer(x, self.states)
        if self.stateful:
            self.states = states
        if self.kind == "birnn":  # the backward half ends at the first step
            units = self.layer.hidden_size
            return torch.cat([out[:, -1, :units], out[:, 0, units:]], -1)
        return out[:, -1]


class Block(nn.Module):
    """A transformer block, normalized after each part as Keras's examples do."""

    def __init__(self, width, heads, units, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.project, self.combine = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.first_norm, self.second_norm = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.widen, self.narrow = nn.Linear(width, units), nn.Linear(units, width)

    def load(self, weights):
        kernels, biases = zip(*[(tensor(weights).flatten(1), tensor(weights).flatten()) for _ in range(3)])  # noqa: B905
        self.project.weight.copy_(torch.cat(kernels, 1).T)
        self.project.bias.copy_(torch.cat(biases))
        self.combine.weight.copy_(tensor(weights).flatten(0, 1).T)
        self.combine.bias.copy_(tensor(weights))
        for part in (self.first_norm, self.widen, self.narrow, self.second_norm):
            part.weight.copy_(tensor(weights).T)
            part.bias.copy_(tensor(weights))

    def forward(self, x):
        batch, time, width = x.shape
        split = self.project(x).view(batch, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(*split, is_causal=self.causal)
        x = self.first_norm(x + self.combine(attended.transpose(1, 2).reshape(batch, time, width)))
        return self.second_norm(x + self.narrow(self.widen(x).relu()))


KINDS = (Embedding, Average, Recurrent, Block)
