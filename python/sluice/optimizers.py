"""Optimizers, with the names, arguments and defaults of keras.optimizers.

All take limits of the gradients: `clipnorm` of each tensor's norm, `global_clipnorm` of the norm of
all, `clipvalue` of each value; one of them at most.
"""

from __future__ import annotations

from typing import Any


class Optimizer:
    """Base of all optimizers.

    Args:
        name: Name in the engine.
        learning_rate: Factor of each step.
        settings: Other options; None keeps the engine's default.
    """

    def __init__(self, name: str, learning_rate: float, **settings: Any):
        self.name = name
        self.learning_rate = learning_rate
        self._settings = {key: value for key, value in settings.items() if value is not None}

    def options(self) -> dict[str, Any]:
        """Returns all options, as the engine takes them."""
        return {"name": self.name, "learning_rate": self.learning_rate, **self._settings}

    def __repr__(self) -> str:
        listed = ", ".join(
            f"{key}={value!r}" for key, value in self.options().items() if key != "name"
        )
        return f"{type(self).__name__}({listed})"


class Adam(Optimizer):
    """Adam (Kingma and Ba 2014).

    Args:
        learning_rate: Factor of each step.
        beta_1: Share that the mean of gradients keeps of itself in a step.
        beta_2: The same for the mean of squared gradients.
        epsilon: Added to the root of that mean.
        weight_decay: Share of learning_rate by which weights shrink in a step.
        clipnorm, clipvalue, global_clipnorm: Limits of the gradients.
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        _name: str = "adam",
    ):
        super().__init__(
            _name,
            learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
        )


class AdamW(Adam):
    """Adam with weight decay (Loshchilov and Hutter 2017). Arguments as of Adam."""

    def __init__(
        self,
        learning_rate: float = 1e-3,
        weight_decay: float | None = 4e-3,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ):
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            _name="adamw",
        )


class SGD(Optimizer):
    """Gradient descent with momentum.

    Args:
        learning_rate: Factor of each step.
        momentum: Share of the last step that the next one keeps.
        nesterov: Whether momentum looks ahead.
        weight_decay: Times a weight, it is added to the gradient, as in PyTorch.
        clipnorm, clipvalue, global_clipnorm: Limits of the gradients.
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        *,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ):
        super().__init__(
            "sgd",
            learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
        )


BY_NAME = {"adam": Adam, "adamw": AdamW, "sgd": SGD}
