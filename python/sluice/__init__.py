"""Sluice: trains image classifiers on an ordinary processor.

    >>> import numpy as np, sluice
    >>> model = sluice.Sequential([
    ...     sluice.Input((8, 8, 3)),
    ...     sluice.layers.Flatten(),
    ...     sluice.layers.Dense(2, activation="softmax"),
    ... ])
    >>> model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    >>> x = np.zeros((4, 8, 8, 3), np.uint8)
    >>> history = model.fit(x, np.array([0, 1, 0, 1]), verbose=0)
    >>> model.predict(x).shape
    (4, 2)

Names, arguments and defaults are those of Keras.
"""

from typing import TYPE_CHECKING

from sluice import callbacks, initializers, layers, losses, optimizers
from sluice._engine import MachineError, UserError
from sluice._engine import version as __version__
from sluice.callbacks import History
from sluice.confusion import Confusion
from sluice.data import Dataset, load_data
from sluice.layers import Input
from sluice.mixtures import (
    CNN,
    Mixture,
    Verdict,
    compare,
    explain,
    find_groups,
    group_numbers,
    load_model,
)
from sluice.networks import Model, Sequential
from sluice.runs import Run

if TYPE_CHECKING:
    from sluice.estimators import CNNClassifier, MixtureOfExpertsClassifier


def __getattr__(name: str) -> object:
    """Classifiers of scikit-learn are there once they are asked for: without it, the rest is."""
    if name in ("CNNClassifier", "MixtureOfExpertsClassifier"):
        from sluice import estimators

        return getattr(estimators, name)
    raise AttributeError(f"module 'sluice' has no attribute {name!r}")


__all__ = [
    "CNN",
    "CNNClassifier",
    "Confusion",
    "Dataset",
    "History",
    "Input",
    "MachineError",
    "Mixture",
    "MixtureOfExpertsClassifier",
    "Model",
    "Run",
    "Sequential",
    "UserError",
    "Verdict",
    "__version__",
    "callbacks",
    "compare",
    "explain",
    "find_groups",
    "group_numbers",
    "initializers",
    "layers",
    "load_data",
    "load_model",
    "losses",
    "optimizers",
]
