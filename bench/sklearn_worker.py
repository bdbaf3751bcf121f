"""scikit-learn: partial_fit of its multi-layer perceptron, which has no dropout."""

import itertools

import worker

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor


def train(net, mode):
    if mode != "dense":
        return None
    settings = dict(hidden_layer_sizes=net.units[1:-1], solver="adam", alpha=0, batch_size=net.batch)
    if net.loss == "cross-entropy":
        model, options = MLPClassifier(**settings), {"classes": np.arange(net.units[-1])}
    else:
        model, options = MLPRegressor(**settings), {}
    batches = itertools.cycle([(rows, targets.squeeze()) for rows, targets in net.batches()])
    return lambda: model.partial_fit(*next(batches), **options), worker.nothing, ""


worker.Worker(train).serve(f"scikit-learn {sklearn.__version__}")
