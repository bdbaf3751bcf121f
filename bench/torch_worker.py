"""PyTorch: eager, as its tutorials do it, and with torch.compile."""

import itertools

import worker

import torch
from torch import nn

torch.set_num_threads(worker.THREADS)
torch.set_num_interop_threads(1)


def network(net, rates):
    """The net as a module; `rates` is None for no dropout."""
    layers = []
    weights = net.weights()
    for index, (weight, bias) in enumerate(weights):
        if rates is not None and rates[index] > 0:
            layers.append(nn.Dropout(rates[index]))
        linear = nn.Linear(*weight.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight.T))
            linear.bias.copy_(torch.from_numpy(bias))
        layers.append(linear)
        if index < len(weights) - 1:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def tensors(net):
    """The batches; classes as the 64-bit integers that cross_entropy wants."""
    for rows, targets in net.batches():
        targets = torch.from_numpy(targets)
        yield torch.from_numpy(rows), targets.long() if net.loss == "cross-entropy" else targets


def train(net, mode):
    if mode not in ("dense", "dropout", "compiled"):
        return None
    module = network(net, None if mode == "dense" else net.rates())
    measure_loss = nn.functional.cross_entropy if net.loss == "cross-entropy" else nn.functional.mse_loss
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3, fused=True)
    batches = itertools.cycle(list(tensors(net)))

    def loss_of(rows, targets):
        return measure_loss(module(rows), targets)

    if mode == "compiled":
        loss_of = torch.compile(loss_of)

    def step():
        optimizer.zero_grad()
        loss_of(*next(batches)).backward()
        optimizer.step()

    return step, worker.nothing, ""


def predict(net):
    module = network(net, None).eval()

    def run(rows):
        with torch.inference_mode():
            return module(rows)

    return torch.from_numpy, run


worker.Worker(train, predict).serve(f"torch {torch.__version__}")
