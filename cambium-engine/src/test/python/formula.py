"""Weights and rows that both sides of a comparison make by one formula, so that none is stored."""
import numpy as np
import torch


def hashed(name, count):
    """Values in [-1, 1] from a hash of the name and the index."""
    seed = 0
    for byte in name.encode():
        seed = (seed * 31 + byte) % 1000003
    index = np.arange(count, dtype=np.int64)
    mixed = (index * 7919 + seed * 104729 + (index * index) % 8191 * 31) % 20011
    return mixed / 10005.5 - 1.0


def fill(name, tensor, rounded=None):
    """Fills a weight with hashed values, scaled; norms around 1; rounded to a type where given."""
    values = hashed(name, tensor.numel()) * (0.5 if tensor.dim() == 2 else 0.25)
    if name.endswith("norm.weight"):
        values = values + 1.0
    values = torch.from_numpy(values.astype(np.float32)).reshape(tensor.shape)
    tensor.copy_(values if rounded is None else values.to(rounded).float())


def rows(lengths):
    """Token ids below 40."""
    return [[(7 * b + 3 * t * t + t) % 40 for t in range(n)] for b, n in enumerate(lengths)]
