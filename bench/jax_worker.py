"""JAX: one jitted function for the whole step, with donated parameters."""

import os

import worker

os.environ["JAX_PLATFORMS"] = "cpu"

import itertools  # noqa: E402  (JAX reads the environment when it is imported)

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

GENERATORS = ["threefry2x32", "rbg", "unsafe_rbg"]
RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def forward(parameters, rows, rates, key):
    """The outputs before the softmax; `rates` is None for the whole network."""
    last = len(parameters) - 1
    for layer, (weight, bias) in enumerate(parameters):
        if rates is not None and rates[layer] > 0:
            keep = 1 - rates[layer]
            kept = jax.random.bernoulli(jax.random.fold_in(key, layer), keep, rows.shape)
            rows = jnp.where(kept, rows / keep, 0)
        rows = rows @ weight + bias
        if layer < last:
            rows = jnp.maximum(rows, 0)
    return rows


def mean_loss(parameters, rows, targets, loss, rates, key):
    outputs = forward(parameters, rows, rates, key)
    if loss == "cross-entropy":
        chosen = jnp.take_along_axis(jax.nn.log_softmax(outputs), targets[:, None], axis=1)
        return -jnp.mean(chosen)
    return jnp.mean(jnp.square(outputs - targets))


def adam(parameter, gradient, first, second, step):
    first = BETA1 * first + (1 - BETA1) * gradient
    second = BETA2 * second + (1 - BETA2) * jnp.square(gradient)
    size = RATE * jnp.sqrt(1 - BETA2**step) / (1 - BETA1**step)
    return parameter - size * first / (jnp.sqrt(second) + EPSILON), first, second


def build_step(net, rates, generator):
    """(step, wait) for this net; `rates` is None for training without dropout."""

    def whole_step(state, rows, targets):
        parameters, first, second, count, key = state
        count = count + 1
        step_key = jax.random.fold_in(key, count)
        gradients = jax.grad(mean_loss)(parameters, rows, targets, net.loss, rates, step_key)
        leaves, structure = jax.tree.flatten(parameters)
        moved = [
            adam(*leaf, count.astype(jnp.float32))
            for leaf in zip(leaves, *(jax.tree.leaves(tree) for tree in (gradients, first, second)))
        ]
        trees = [jax.tree.unflatten(structure, column) for column in zip(*moved)]
        return (*trees, count, key)

    jitted = jax.jit(whole_step, donate_argnums=0)
    parameters = jax.tree.map(jnp.asarray, net.weights())
    zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
    state = (parameters, *zeros, jnp.int32(0), jax.random.key(1, impl=generator))
    batches = itertools.cycle([tuple(map(jnp.asarray, pair)) for pair in net.batches()])

    def step():
        nonlocal state
        state = jitted(state, *next(batches))

    return step, lambda: jax.block_until_ready(state)


def train(net, mode):
    if mode == "dense":
        return *build_step(net, None, GENERATORS[0]), ""
    if mode == "dropout":
        generator, pair = worker.fastest({name: build_step(net, net.rates(), name) for name in GENERATORS})
        return *pair, generator
    return None


def predict(net):
    parameters = jax.tree.map(jnp.asarray, net.weights())
    whole = jax.jit(lambda parameters, rows: forward(parameters, rows, None, None))
    return jnp.asarray, lambda rows: whole(parameters, rows).block_until_ready()


worker.Worker(train, predict).serve(f"jax {jax.__version__}")
