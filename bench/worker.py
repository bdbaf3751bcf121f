"""What the Python workers of the bench share: the nets, the data, the clock and the protocol (README.md).

Import this before the library that is timed: it sets the number of threads in the environment.
"""

import argparse
import gc
import json
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PARSER = argparse.ArgumentParser(description="a worker of the bench; it reads commands from standard input")
PARSER.add_argument("--threads", type=int, default=2, help="threads that the library may use (default 2)")
THREADS = PARSER.parse_args().threads
for name in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NPROC"]:
    os.environ[name] = str(THREADS)

import numpy as np  # noqa: E402  (after the environment is set)

BATCHES = 8
"""The data set that a step walks through, round and round, in batches."""

MEASUREMENT_SECONDS = 0.005
"""A measurement lasts at least this long: a step that is shorter is repeated within it."""

PREDICT_ROWS = 10_000
PREDICT_BATCHES = [125, 250, 500, 1000, 2500, 10_000]


@dataclass(frozen=True)
class Net:
    """One net of nets.json; `units` runs from the inputs to the outputs."""

    name: str
    units: list
    batch: int
    input_rate: float
    hidden_rate: float
    loss: str

    def rates(self):
        """The dropout rate in front of each layer."""
        return [self.input_rate] + [self.hidden_rate] * (len(self.units) - 2)

    def weights(self):
        """He-initialised (weight [in, out], bias [out]) of each layer."""
        random = np.random.default_rng(1)
        return [
            (
                (random.standard_normal((inputs, outputs)) * math.sqrt(2 / inputs)).astype(np.float32),
                np.zeros(outputs, np.float32),
            )
            for inputs, outputs in zip(self.units, self.units[1:])
        ]

    def batches(self):
        """Pairs of inputs [batch, units] and targets: classes [batch], or values [batch, outputs]."""
        random = np.random.default_rng(2)
        pairs = []
        for _ in range(BATCHES):
            inputs = random.random((self.batch, self.units[0]), dtype=np.float32)
            if self.loss == "cross-entropy":
                targets = random.integers(0, self.units[-1], self.batch).astype(np.int32)
            else:
                targets = random.standard_normal((self.batch, self.units[-1])).astype(np.float32)
            pairs.append((inputs, targets))
        return pairs


def load_nets():
    table = json.loads((Path(__file__).parent / "nets.json").read_text())
    return {name: Net(name, **fields) for name, fields in table.items()}


def measure(step, wait, repeats):
    """Milliseconds of one step, measured `repeats` times; `wait` returns when all steps are done."""
    step()
    wait()
    start = time.perf_counter()
    step()
    wait()
    steps = max(1, math.ceil(MEASUREMENT_SECONDS / (time.perf_counter() - start)))
    milliseconds = []
    gc.collect()
    gc.disable()
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(steps):
            step()
        wait()
        milliseconds.append((time.perf_counter() - start) * 1e3 / steps)
    gc.enable()
    return milliseconds


def fastest(candidates, repeats=5, turns=3):
    """Of a dictionary of (step, wait), the one with the shortest measurement: its name and itself.

    Measured turn by turn, so that a slow moment of the machine does not decide.
    """
    shortest = dict.fromkeys(candidates, math.inf)
    for _ in range(turns):
        for name, candidate in candidates.items():
            shortest[name] = min(shortest[name], *measure(*candidate, repeats))
    name = min(shortest, key=shortest.get)
    return name, candidates[name]


def nothing():
    """The `wait` of a library whose steps are done when they return."""


class Worker:
    """Answers the commands with what one library offers.

    `train(net, mode)` returns (step, wait, note), or None for a mode that the library does not have.
    `predict(net)` returns (convert, run): `convert` puts a NumPy matrix of rows where the library
    wants it, once, and `run` predicts such a matrix and returns when it is done.
    """

    def __init__(self, train=None, predict=None):
        self.train = train
        self.predict = predict
        self.nets = load_nets()
        self.prepared = {}

    def prepare(self, net, key, build):
        """What `build` returns, kept until another net is asked for, so that memory holds one net."""
        if any(kept_net != net.name for kept_net, _ in self.prepared):
            self.prepared.clear()
        if (net.name, key) not in self.prepared:
            self.prepared[net.name, key] = build()
        return self.prepared[net.name, key]

    def time(self, name, mode, repeats):
        net = self.nets[name]
        prepared = self.prepare(net, mode, lambda: self.train and self.train(net, mode))
        if prepared is None:
            raise ValueError(f"no mode {mode} here")
        step, wait, note = prepared
        return {"net": name, "mode": mode, "milliseconds": measure(step, wait, int(repeats)), "note": note}

    def predict_rows(self, name, repeats):
        net = self.nets[name]
        if self.predict is None:
            raise ValueError("no prediction here")
        batch, (step, wait) = self.prepare(net, "predict", lambda: self.choose_batch(net))
        milliseconds = measure(step, wait, int(repeats))
        return {"net": name, "rows": PREDICT_ROWS, "milliseconds": milliseconds, "note": f"batches of {batch}"}

    def choose_batch(self, net):
        """Tries each batch size, keeps the fastest."""
        convert, run = self.predict(net)
        rows = np.random.default_rng(3).random((PREDICT_ROWS, net.units[0]), dtype=np.float32)
        candidates = {}
        for batch in PREDICT_BATCHES:
            parts = [convert(rows[first : first + batch]) for first in range(0, PREDICT_ROWS, batch)]
            candidates[batch] = (lambda parts=parts: [run(part) for part in parts], nothing)
        return fastest(candidates, repeats=2, turns=2)

    def serve(self, library):
        """Says `ready`, then answers each line of standard input until `quit` or its end."""
        answers = sys.stdout
        sys.stdout = sys.stderr  # a library that prints must not disturb the protocol
        print("ready", library, file=answers, flush=True)
        commands = {"time": self.time, "predict": self.predict_rows}
        for line in sys.stdin:
            word, *arguments = line.split() or ["quit"]
            if word == "quit":
                break
            try:
                if word not in commands:
                    raise ValueError(f"no command {word} here")
                answer = commands[word](*arguments)
            except Exception as error:  # whatever a library raises becomes the answer; the bench goes on
                answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
            print(json.dumps(answer), file=answers, flush=True)
