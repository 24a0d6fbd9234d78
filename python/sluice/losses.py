"""Losses, with the names, arguments and defaults of keras.losses."""

from __future__ import annotations

from sluice._engine import UserError


class Loss:
    """Base of all losses: the mean over images of -log(p), p the probability of an image's class.

    Both losses take class numbers and one-hot rows.
    """

    def __init__(self, from_logits: bool, label_smoothing: float = 0.0):
        if from_logits:
            raise UserError(
                "[compile] from_logits=True: end the network in activation='softmax', and leave it "
                "out"
            )
        self.label_smoothing = label_smoothing


class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy of class numbers."""

    def __init__(self, from_logits: bool = False):
        super().__init__(from_logits)


class CategoricalCrossentropy(Loss):
    """Cross-entropy of one-hot rows.

    Args:
        from_logits: Must be False.
        label_smoothing: Share of each target that all classes have in equal parts.
    """

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0):
        super().__init__(from_logits, label_smoothing)


BY_NAME = {
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
}
