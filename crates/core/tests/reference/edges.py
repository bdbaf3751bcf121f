"""Writes edges.json beside this file: what PyTorch makes of noise on edges.

    pip install torch
    python edges.py

Masks and normal numbers are drawn here from the words that docs/determinism.md describes, and fed to
PyTorch, whose autograd gives every gradient. Inputs and parameters are f32 numbers; PyTorch computes in
f64, so that what differs is the engine's rounding alone. The test that reads the file is
crates/core/tests/torch_edges.rs.
"""

import json
import math
import pathlib

import torch

SEED, STEP, ROWS, FIRST_ROW, SLICE = 20130616, 5, 20, 64, 1
WIDTHS = [5, 36, 4, 3]
RATE = 13107 / 65536  # 0.2 in 16 binary digits
torch.set_default_dtype(torch.float64)
K1, K2, K3 = 0.63576, 1.87320, 1.48695  # Molchanov, Ashukha and Vetrov 2017


def philox(key, counter):
    k, c = list(key), list(counter)
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [second >> 32 ^ c[1] ^ k[0], second % 2**32, first >> 32 ^ c[3] ^ k[1], first % 2**32]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


def words(layer, digit, block, row):
    return philox([SEED, 0x50000000 + layer + (digit << 16)], [block, row, STEP, 0])


def kept(layer, block, row, word, bit):
    """Whether the number of 16 digits is at least the rate."""
    digits = [words(layer, digit, block, row)[word] >> bit & 1 for digit in range(16)]
    return float(sum(digit / 2 ** (place + 1) for place, digit in enumerate(digits)) >= RATE)


def mask(layer, units, inputs, row, shared):
    """The factors of the edges and biases of a layer for a row of the slice."""

    def edge(unit, edge):
        if shared:
            chunks = -(-inputs // 128)
            block = edge // 128 * units + unit if unit < units else chunks * units + edge // 128
            return kept(layer, block, SLICE, edge // 32 % 4, edge % 32)
        block = unit * 16 * -(-inputs // 32) + edge // 32 * 16 + edge % 16
        return kept(layer, block, FIRST_ROW + row // 64 * 64, edge // 16 % 2 * 2 + row % 64 // 32, row % 32)

    weights = [[edge(unit, k) for k in range(inputs)] for unit in range(units)]
    return torch.tensor(weights) / (1 - RATE), torch.tensor([edge(units, j) for j in range(units)]) / (1 - RATE)


def normals(layer, units, row):
    drawn = []
    for block in range(-(-units // 4)):
        u = [(2 * (word >> 9) + 1) / 2**24 for word in words(layer, 0, block, FIRST_ROW + row)]
        for first, second in zip(u[::2], u[1::2]):
            radius, angle = math.sqrt(-2 * math.log(first)), 2 * math.pi * second
            drawn += [radius * math.cos(angle), radius * math.sin(angle)]
    return torch.tensor(drawn[:units])


def masked(shared):
    def layer(index, x, row, weight, bias, logarithms):
        of_weights, of_biases = mask(index, *weight.shape, row, shared)
        return (weight * of_weights) @ x + bias * of_biases

    return layer


def gaussian(index, x, row, weight, bias, logarithms):
    alpha = 0.2 / 0.8
    variance = alpha * (weight**2 @ x**2 + bias**2)
    return weight @ x + bias + torch.sqrt(variance) * normals(index, len(bias), row)


def sparse(index, x, row, weight, bias, logarithms):
    variance = torch.exp(logarithms) @ x**2
    return weight @ x + bias + torch.sqrt(variance) * normals(index, len(bias), row)


def divergence(weight, logarithms):
    ratio = logarithms - torch.log(weight**2)
    return (K1 + 0.5 * torch.log1p(torch.exp(-ratio)) - K1 * torch.sigmoid(K2 + K3 * ratio)).sum()


def leaves(generator, shapes):
    drawn = [torch.randn(*shape, generator=generator).float().double() * 0.6 for shape in shapes]
    return [values.requires_grad_() for values in drawn]


def case(name, share, layer):
    generator = torch.Generator().manual_seed(1)
    shapes = list(zip(WIDTHS[1:], WIDTHS[:-1]))
    x = torch.randn(ROWS, WIDTHS[0], generator=generator).float().double()
    weights, biases = leaves(generator, shapes), leaves(generator, [(units,) for units in WIDTHS[1:]])
    logarithms = [torch.randn(*s, generator=generator).float().double() - 3 for s in shapes]
    logarithms = [l.float().double().requires_grad_() for l in logarithms]
    by_outputs = torch.randn(ROWS, WIDTHS[-1], generator=generator).float().double()
    rows = []
    for row in range(ROWS):
        units = x[row]
        for index in range(len(shapes)):
            units = layer(index, units, row, weights[index], biases[index], logarithms[index])
            units = torch.tanh(units) if index + 1 < len(shapes) else units
        rows.append(units)
    outputs = torch.stack(rows)
    of_loss = torch.autograd.grad((outputs * by_outputs).sum(), weights + biases + logarithms, allow_unused=True)
    of_divergence = torch.autograd.grad(sum(map(divergence, weights, logarithms)), weights + logarithms)
    # Nine digits are enough for an f32 to come back as it was.
    short = lambda t: [float(f"{number:.9g}") for number in t.detach().flatten().float().tolist()]
    numbers = lambda tensors: [[] if t is None else short(t) for t in tensors]
    n, learns = len(shapes), name == "sparse-variational"
    return {
        "name": name,
        "share": share,
        "inputs": numbers([x])[0],
        "weights": numbers(weights),
        "biases": numbers(biases),
        "logarithms": numbers(logarithms) if learns else [],
        "outputs": numbers([outputs])[0],
        "by_outputs": numbers([by_outputs])[0],
        "by_weights": numbers(of_loss[:n]),
        "by_biases": numbers(of_loss[n : 2 * n]),
        "by_logarithms": numbers(of_loss[2 * n :]) if learns else [],
        "divergence_by_weights": numbers(of_divergence[:n]) if learns else [],
        "divergence_by_logarithms": numbers(of_divergence[n:]) if learns else [],
    }


cases = [
    case("edges", "row", masked(False)),
    case("edges", "slice", masked(True)),
    case("edges-gaussian", "row", gaussian),
    case("sparse-variational", "row", sparse),
]
about = {"seed": SEED, "step": STEP, "first_row": FIRST_ROW, "slice": SLICE, "rows": ROWS, "widths": WIDTHS}
path = pathlib.Path(__file__).with_suffix(".json")
text = json.dumps({**about, "cases": cases}, separators=(",", ":"))
path.write_text(text.replace('{"name"', '\n{"name"') + "\n")
