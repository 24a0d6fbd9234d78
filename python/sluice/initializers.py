"""Initial kernels, with the names of keras.initializers. A layer's `kernel_initializer` chooses.

The default, "glorot_uniform", is the engine's: its values depend on the network's seed alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sluice._engine import UserError

DEFAULT = "glorot_uniform"
_SCALES = {"glorot": (1.0, "average"), "he": (2.0, "in"), "lecun": (1.0, "in")}
NAMES = tuple(f"{name}_{kind}" for name in _SCALES for kind in ("uniform", "normal"))

# Deviation of a normal distribution that is cut at two (scipy.stats.truncnorm.std).
_CUT_DEVIATION = 0.87962566103423978


def require(name: str) -> str:
    """Returns a name. Raises UserError if it is none."""
    if name in NAMES:
        return name
    raise UserError(f"[layer] kernel_initializer={name!r}: must be one of {', '.join(NAMES)}")


def kernel(name: str, shape: Sequence[int], random: np.random.Generator) -> np.ndarray:
    """Returns a kernel, float32 of `shape`, (..., in, out).

    The variance is scale / n, n the number of inputs (he, lecun) or the mean of inputs and outputs
    (glorot) of a value: Glorot and Bengio 2010, He et al. 2015, and
    keras/src/initializers/random_initializers.py (VarianceScaling).
    """
    prefix, kind = name.split("_")
    scale, mode = _SCALES[prefix]
    field = math.prod(shape[:-2])
    inputs, outputs = field * shape[-2], field * shape[-1]
    variance = scale / (inputs if mode == "in" else (inputs + outputs) / 2)
    if kind == "uniform":
        limit = math.sqrt(3 * variance)
        return random.uniform(-limit, limit, shape).astype(np.float32)
    values = random.standard_normal(shape)
    while (far := np.abs(values) > 2).any():
        values[far] = random.standard_normal(int(far.sum()))
    return (values * math.sqrt(variance) / _CUT_DEVIATION).astype(np.float32)
