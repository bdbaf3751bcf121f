"""Writes noise.json beside this file: what PyTorch makes of noise on units.

    pip install torch
    python noise.py

The noise is drawn here from the words that docs/determinism.md describes, and fed to PyTorch, whose
autograd gives every gradient. Inputs and parameters are f32 numbers; PyTorch computes in f64, so that
what differs is the engine's rounding alone. The test that reads the file is crates/core/tests/torch.rs.
"""

import json
import math
import pathlib

import torch

SEED, STEP, ROWS, FIRST_ROW = 20140614, 5, 12, 64
WIDTHS = [5, 8, 6, 3]
torch.set_default_dtype(torch.float64)
K1, K2, K3 = 0.63576, 1.87320, 1.48695  # Molchanov, Ashukha and Vetrov 2017


def philox(key, counter):
    k, c = list(key), list(counter)
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [second >> 32 ^ c[1] ^ k[0], second % 2**32, first >> 32 ^ c[3] ^ k[1], first % 2**32]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


def uniforms(level, row, units):
    words = []
    for block in range((units + 3) // 4):
        words += philox([SEED, 0x10000000 + level], [block, row, STEP, 0])
    return [(2 * (word >> 9) + 1) / 2**24 for word in words]


def normals(level, row, units):
    u = uniforms(level, row, units)
    drawn = []
    for first, second in zip(u[::2], u[1::2]):
        radius, angle = math.sqrt(-2 * math.log(first)), 2 * math.pi * second
        drawn += [radius * math.cos(angle), radius * math.sin(angle)]
    return drawn[:units]


def matrix(draw, level, units):
    """What is drawn for each row and unit of a level."""
    return torch.tensor([draw(level, FIRST_ROW + row, units)[:units] for row in range(ROWS)])


def gaussian(level, units, learned):
    return 1 + math.sqrt(0.25 / 0.75) * matrix(normals, level, units)


def variational(level, units, learned):
    return 1 + torch.exp(learned / 2) * matrix(normals, level, units)


def concrete(level, units, learned):
    u = matrix(uniforms, level, units)
    kept = 1 - torch.sigmoid((learned + torch.log(u) - torch.log(1 - u)) / 0.1)
    return kept * (1 + torch.exp(learned))


def f32(numbers):
    return numbers.float().double()


def case(name, factors, learned):
    torch.manual_seed(len(name))
    inputs, labels = f32(torch.randn(ROWS, WIDTHS[0])), torch.randint(WIDTHS[-1], (ROWS,))
    pairs = list(zip(WIDTHS[1:], WIDTHS))
    weights = [f32(torch.randn(units, below) / math.sqrt(below)).requires_grad_() for units, below in pairs]
    biases = [f32(torch.randn(units) * 0.3).requires_grad_() for units in WIDTHS[1:]]
    learned = [f32(learned(below)).requires_grad_() for below in WIDTHS[:-1]]
    values = inputs
    for level in range(len(weights)):
        values = values * factors(level, WIDTHS[level], learned[level])
        values = values @ weights[level].T + biases[level]
        if level + 1 < len(weights):
            values = torch.relu(values)
    values.retain_grad()
    torch.nn.functional.cross_entropy(values, labels).backward()
    data = [numbers.grad.clone() if numbers.grad is not None else None for numbers in learned]
    divergence = []
    if name == "variational":
        for numbers in learned:
            numbers.grad = None
            negative = K1 * torch.sigmoid(K2 + K3 * numbers) - 0.5 * torch.log1p(torch.exp(-numbers)) - K1
            (-negative).sum().backward()
            divergence.append(numbers.grad.tolist())
    return {
        "name": name,
        "inputs": inputs.flatten().tolist(),
        "weights": [w.flatten().tolist() for w in weights],
        "biases": [b.tolist() for b in biases],
        "learned": [numbers.tolist() for numbers in learned] if name != "gaussian" else [],
        "outputs": values.flatten().tolist(),
        "by_outputs": values.grad.flatten().tolist(),
        "by_weights": [w.grad.flatten().tolist() for w in weights],
        "by_biases": [b.grad.tolist() for b in biases],
        "by_learned": [numbers.tolist() for numbers in data] if name != "gaussian" else [],
        "divergence": divergence,
    }


cases = [
    case("gaussian", gaussian, lambda units: torch.zeros(units)),
    case("variational", variational, lambda units: -3 * torch.rand(units)),
    case("concrete", concrete, lambda units: -torch.rand(1) - 0.5),
]
setting = {"seed": SEED, "step": STEP, "first_row": FIRST_ROW, "rows": ROWS, "widths": WIDTHS, "cases": cases}
# Nine digits are more than an f32 has.
text = json.dumps(json.loads(json.dumps(setting), parse_float=lambda number: float(f"{float(number):.9g}")))
pathlib.Path(__file__).with_name("noise.json").write_text(text.replace('], "', '],\n"') + "\n")
