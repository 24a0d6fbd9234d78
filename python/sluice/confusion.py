"""Confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sluice import _arrays
from sluice._html import table


class Confusion:
    """Which class was taken for which.

    Args:
        y: True class of each image, or one-hot rows.
        outputs: What predict() returned for the images, (images, classes).
        class_names: Names of the classes; by default their numbers.

    Attributes:
        counts: (classes, classes), int64: images by true class in rows, predicted class in columns.
        class_names: Names of the classes.

    Example:
        >>> import numpy as np, sluice
        >>> confusion = sluice.Confusion([0, 1, 1], np.eye(2)[[0, 1, 0]], ["cat", "dog"])
        >>> confusion.counts
        array([[1, 0],
               [1, 1]])
        >>> confusion.recall
        array([1. , 0.5])
    """

    def __init__(self, y: Any, outputs: Any, class_names: Sequence[str] | None = None):
        outputs = np.asarray(outputs)
        classes = outputs.shape[1]
        labels = _arrays.labels(y, len(outputs), classes)
        self.class_names = list(class_names or [str(i) for i in range(classes)])
        self.counts = np.zeros((classes, classes), np.int64)
        np.add.at(self.counts, (labels, outputs.argmax(axis=1)), 1)

    @property
    def recall(self) -> np.ndarray:
        """By class the share of its images that were recognized; NaN without images."""
        sums = self.counts.sum(axis=1)
        none = np.full(len(sums), np.nan)
        return np.asarray(np.divide(np.diag(self.counts), sums, out=none, where=sums > 0))

    def plot(self, ax: Any = None) -> Any:
        """Draws the matrix with the counts in its cells. Needs matplotlib.

        Args:
            ax: Axes of matplotlib to draw on; by default those of a new figure.

        Returns:
            The axes.
        """
        from sluice._plots import plot_confusion

        return plot_confusion(self.counts, self.class_names, ax)

    def _repr_html_(self) -> str:
        rows = [
            [name, *(str(count) for count in row), f"{recall:.3f}"]
            for name, row, recall in zip(self.class_names, self.counts, self.recall)
        ]
        return table(["true \\ predicted", *self.class_names, "recall"], rows)
