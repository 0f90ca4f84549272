"""A plain PyTorch loop, written well: data as one tensor, no synchronisation per step, fused or grouped updates."""

import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers import tasks, torch_networks, torch_pictures, torch_sequences


class Peer:
    """Trains one model at a time with a loop."""

    def versions(self):
        return {"torch": torch.__version__}

    def build(self, task, batch, x, y):
        """Make model and optimizer; images become channels-first in shape, channels-last in memory."""
        self.task, self.batch = task, batch
        if tasks.is_network(task):
            self.use(x, y)
            self.model = torch_networks.Network(task.layers)
            self._prepare_optimizer()
            return
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y.argmax(-1))
        if len(task.shape) == 3:
            self.x = self.x.permute(0, 3, 1, 2)
        self.model = nn.Sequential(*[self._layer(*each) for each in tasks.walk(task)])
        self.model = self.model.to(memory_format=torch.channels_last)
        self._prepare_optimizer()

    def use(self, x, y):
        """Take other rows for a network."""
        self.x, self.y = torch_networks.inputs(self.task.layers, x), torch_networks.targets(self.task.layers, y)

    def _layer(self, layer, before, after):
        kind = layer[0]
        if kind == "dense":
            return self._with_activation(nn.Linear(before[-1], after[-1]), layer[2])
        if kind == "conv":
            return self._with_activation(nn.Conv2d(before[-1], after[-1], 3), layer[2])
        if kind == "norm":
            return nn.BatchNorm2d(after[-1], eps=1e-3, momentum=0.01)
        if kind == "dropout":
            return nn.Dropout(layer[1])
        if kind in tasks.sequence_tasks.KINDS:
            return torch_sequences.module(layer, before)
        return {"pool": nn.MaxPool2d(2), "relu": nn.ReLU(inplace=True), "flatten": nn.Flatten()}[kind]

    def _with_activation(self, layer, activation):
        found = {"relu": nn.ReLU(inplace=True), "sigmoid": nn.Sigmoid()}.get(activation)  # softmax: in the loss
        return layer if found is None else nn.Sequential(layer, found)

    def _prepare_optimizer(self):
        name, rate, *rest = self.task.optimizer
        weights = self.model.parameters()
        if name == "SGD":
            self.optimizer = torch.optim.SGD(weights, rate, fused=True)
        elif name == "Adam":
            self.optimizer = torch.optim.Adam(weights, rate, eps=1e-7, fused=True)
        elif name == "RMSprop":
            # Keras adds its 1e-7 under the root.
            self.optimizer = torch.optim.RMSprop(weights, rate, alpha=rest[0], eps=1e-7**0.5, foreach=True)
        else:
            self.optimizer = torch.optim.Adadelta(weights, rate, rho=rest[0], eps=1e-7, foreach=True)

    def reset(self, seed):
        """Put the seed's initial weights in, and make a new optimizer."""
        torch.manual_seed(seed)
        if tasks.is_network(self.task):
            self.model.load(seed)
            self._prepare_optimizer()
            return
        weights = iter(tasks.initial_weights(self.task, seed))
        flattened = [before for layer, before, _ in tasks.walk(self.task) if layer[0] == "flatten"]
        with torch.no_grad():
            for module in torch_sequences.parts(self.model):
                if isinstance(module, torch_sequences.KINDS):
                    module.load(weights)
                elif isinstance(module, (nn.Linear, nn.Conv2d)):
                    kernel = torch.from_numpy(next(weights))
                    if kernel.ndim == 4:
                        kernel = kernel.permute(3, 2, 0, 1)
                    elif flattened:  # rows, columns, channels in Keras; channels come first here
                        kernel = kernel.reshape(*flattened.pop(), -1).permute(3, 2, 0, 1).flatten(1)
                    else:
                        kernel = kernel.T
                    module.weight.copy_(kernel)
                    module.bias.copy_(torch.from_numpy(next(weights)))
                elif isinstance(module, nn.BatchNorm2d):
                    for part in (module.weight, module.bias, module.running_mean, module.running_var):
                        part.copy_(torch.from_numpy(next(weights)))
        self._prepare_optimizer()

    def epochs(self, count):
        """Train; returns the seconds and the mean loss of each epoch."""
        seconds, losses, self.processor = [], [], []
        for _ in range(count):
            began, before = time.perf_counter(), time.process_time()
            losses.append(self._epoch())
            seconds.append(time.perf_counter() - began)
            self.processor.append(time.process_time() - before)
        return seconds, losses

    def _epoch(self):
        self.model.train()
        if tasks.is_network(self.task):
            return self._network_epoch()
        total, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for rows in torch.randperm(len(self.x)).split(self.batch):
            x, y = self.x[rows], self.y[rows]
            self.optimizer.zero_grad(set_to_none=True)
            out = self.model(x)
            loss = functional.cross_entropy(out.flatten(0, -2), y.flatten())
            loss.backward()
            self.optimizer.step()
            total += loss.detach() * len(rows)
            right += (out.detach().argmax(-1) == y).sum()
        assert 0 <= int(right) <= self.y.numel()
        return float(total) / len(self.x)

    def _network_epoch(self):
        total = torch.zeros(())
        for rows in torch.randperm(len(self.x)).split(self.batch):
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.model.loss(self.model(self.x[rows]), self.y[rows])
            loss.backward()
            self.optimizer.step()
            total += loss.detach() * len(rows)
        return float(total) / len(self.x)

    @torch.inference_mode()
    def predict_all(self):
        """Return a network's outputs for all rows, in the batches of training."""
        self.model.eval()
        return torch_networks.outputs(torch.cat([self.model(x) for x in self.x.split(self.batch)])).numpy()

    def pictures(self, folder, side, batch):
        """Return a function that reads the pictures in a folder once, and returns the mean of a function of batches."""
        loader = torch_pictures.loader(folder, side, batch)
        return lambda function: float(np.mean([function(x) for x, _ in loader]))

    def parameters(self):
        """Return the number of weights, with the statistics of normalization as in Keras."""
        kept = [each for each in self.model.buffers() if each.is_floating_point()]
        return sum(each.numel() for each in [*self.model.parameters(), *kept])

    def use_keras_padding(self, exact):
        torch_networks.use_keras_padding(self.model, exact)

    @torch.inference_mode()
    def predict(self, rows):
        """Return the outputs for the first rows, all at once."""
        self.model.eval()
        return self.model(self.x[:rows]).softmax(-1).numpy()

    @torch.inference_mode()
    def evaluate(self, rows):
        """Return loss and accuracy on the first rows, in batches of 32."""
        self.model.eval()
        total, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for x, y in zip(self.x[:rows].split(32), self.y[:rows].split(32)):  # noqa: B905 (Python 3.7 reads this file)
            out = self.model(x)
            total += functional.cross_entropy(out, y, reduction="sum")
            right += (out.argmax(1) == y).sum()
        return [float(total) / rows, float(right) / rows]

    def product(self, size):
        """Return a function that multiplies two float32 matrices and waits."""
        a, b = (torch.from_numpy(np.random.RandomState(i).normal(size=(size, size)).astype("float32")) for i in (0, 1))
        out = torch.empty(size, size)
        return lambda: torch.mm(a, b, out=out)
