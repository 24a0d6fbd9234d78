"""Pictures by matplotlib, which is imported when one is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from sluice._engine import UserError


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as pyplot
    except ImportError:
        raise UserError("[plot] matplotlib is missing: pip install matplotlib") from None
    return pyplot


def plot_history(history: dict[str, list[float]], axes: Any = None) -> Any:
    """Draws loss and accuracy of each epoch, in training and in validation."""
    if axes is None:
        _, axes = _pyplot().subplots(1, 2, figsize=(10, 3.5), layout="constrained")
    for ax, figure in zip(axes, ("loss", "accuracy")):
        for key, label in ((figure, "training"), (f"val_{figure}", "validation")):
            if key in history:
                ax.plot(range(1, len(history[key]) + 1), history[key], label=label)
        ax.set_xlabel("epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_ylabel(figure)
        ax.legend()
    return axes


def plot_confusion(counts: np.ndarray, class_names: list[str], ax: Any = None) -> Any:
    """Draws counts by true class (rows) and predicted class (columns), coloured by the share of the
    row."""
    if ax is None:
        _, ax = _pyplot().subplots(figsize=(6.5, 6), layout="constrained")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.5 else "black"
        ax.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    ax.set_xticks(range(len(class_names)), class_names, rotation=45, ha="right")
    ax.set_yticks(range(len(class_names)), class_names)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    return ax
