"""R-Drop and expectation-linear dropout in PyTorch, with thinnet's masks fed in.

Writes pairs.json beside itself: a small network, rows, and the loss and gradients of one step.
crates/core/tests/pairs.rs holds the engine to them. Run again only to change the case:

    python pairs.py        (needs torch)
"""

import json
import pathlib

import torch

SEED, STEP, BATCH, RATES, ALPHA, LAMBDA = 5, 3, 6, (0.2, 0.5), 1.5, 2.0


def philox(key, counter):
    """Four random words: docs/determinism.md."""
    k, c = list(key), list(counter)
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [second >> 32 ^ c[1] ^ k[0], second % 2**32, first >> 32 ^ c[3] ^ k[1], first % 2**32]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


def factors(level, rows, units, rate):
    """What each unit of each row is multiplied by, with a mask for each row."""
    def word(row, unit):
        return philox([SEED, 0x10000000 + level], [unit // 4, row, STEP, 0])[unit % 4]

    dropped = round(rate * 2**32)
    kept = [[float(word(row, unit) >= dropped) / (1 - rate) for unit in range(units)] for row in rows]
    return torch.tensor(kept, dtype=torch.float64)


def main():
    torch.manual_seed(1)
    double = {"dtype": torch.float64}
    inputs, labels = torch.randn(BATCH, 4, **double).float().double(), torch.tensor([0, 2, 1, 1, 0, 2])
    sizes = [(6, 4), (3, 6)]
    weights = [torch.randn(*size, **double).float().double().requires_grad_() for size in sizes]
    biases = [torch.randn(size[0], **double).float().double().requires_grad_() for size in sizes]

    def logits(first_row):
        thin = [1.0, 1.0]
        if first_row is not None:
            rows = range(first_row, first_row + BATCH)
            thin = [factors(level, rows, units, RATES[level]) for level, units in enumerate([4, 6])]
        hidden = torch.relu((inputs * thin[0]) @ weights[0].T + biases[0]) * thin[1]
        return hidden @ weights[1].T + biases[1]

    # The rows of the twins follow those of the mini-batch.
    first, twin, whole = logits(0), logits(BATCH), logits(None)
    cross_entropy, divergence = torch.nn.functional.cross_entropy, torch.nn.functional.kl_div
    p, q = first.log_softmax(1), twin.log_softmax(1)
    both = sum(divergence(a, b, reduction="batchmean", log_target=True) for a, b in [(p, q), (q, p)])
    distance = ((first.softmax(1) - whole.softmax(1)) ** 2).sum(1).mean()
    losses = {
        f"r-drop:{ALPHA}": (cross_entropy(first, labels) + cross_entropy(twin, labels)) / 2 + ALPHA * both / 2,
        f"expectation-linear:{LAMBDA:g}": cross_entropy(first, labels) + LAMBDA * distance,
    }
    parameters = [one for pair in zip(weights, biases) for one in pair]
    flat = lambda tensors: [value for tensor in tensors for value in tensor.flatten().tolist()]
    cases = {
        name: {"loss": loss.item(), "gradients": flat(torch.autograd.grad(loss, parameters, retain_graph=True))}
        for name, loss in losses.items()
    }
    reference = {
        "torch": torch.__version__, "seed": SEED, "step": STEP, "rates": RATES,
        "inputs": flat([inputs]), "labels": labels.tolist(), "parameters": flat(parameters), "cases": cases,
    }
    path = pathlib.Path(__file__).with_name("pairs.json")
    path.write_text(json.dumps(reference, indent=1) + "\n")


if __name__ == "__main__":
    main()
