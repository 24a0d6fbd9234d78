"""Callbacks of Sequential.fit(), with the names, hooks and defaults of keras.callbacks."""

from __future__ import annotations

import math
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from sluice._engine import UserError

if TYPE_CHECKING:
    from sluice.models import BaseModel

Logs = dict[str, float] | None


class Callback:
    """Base of callbacks: each hook does nothing.

    Setting model.stop_training ends the fit after the epoch. Epochs and batches are counted from 0.
    A hook may use the model. An exception ends the fit, whose weights stay as they are then; so
    does Ctrl-C, after which on_train_end() is not called.
    """

    model: BaseModel

    def set_model(self, model: BaseModel) -> None:
        """Called first, by fit()."""
        self.model = model

    def on_train_begin(self, logs: Logs = None) -> None:
        """Called before the first epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called before each epoch."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each step."""

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each step, with the means of the epoch so far."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called after each epoch, with its figures."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Called at the end, also of a fit that a callback ended."""


class History(Callback):
    """Figures of a fit, which fit() returns.

    Attributes:
        history: By name ("loss", "accuracy", "val_loss", "val_accuracy") a list with the figure of
            each epoch.
        epoch: Numbers of the epochs, from 0.
        params: Epochs and steps of the fit.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.params: dict[str, int] = {}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)

    def plot(self, axes: object = None) -> object:
        """Draws the learning curves: loss on the left, accuracy on the right. Needs matplotlib.

        Args:
            axes: Two axes of matplotlib to draw on; by default those of a new figure.

        Returns:
            The axes.
        """
        from sluice._plots import plot_history

        return plot_history(self.history, axes)

    def _repr_html_(self) -> str:
        """A table with a row for each epoch."""
        from sluice._html import table

        rows = zip(*self.history.values())
        return table(
            ["epoch", *self.history],
            [
                [str(epoch + 1), *(f"{value:.4f}" for value in row)]
                for epoch, row in zip(self.epoch, rows)
            ],
        )


class _Monitor(Callback):
    """Knows whether a figure is better than its best so far."""

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0):
        if mode not in ("auto", "min", "max"):
            raise UserError(f"[callback] mode={mode!r}: must be 'auto', 'min' or 'max'")
        self.monitor = monitor
        is_max = mode == "max" or (mode == "auto" and monitor.endswith(("acc", "accuracy")))
        self._sign = 1.0 if is_max else -1.0
        self._min_delta = abs(min_delta)
        self.best = -self._sign * math.inf

    def _value(self, logs: Logs) -> float:
        logs = logs or {}
        if self.monitor in logs:
            return logs[self.monitor]
        raise UserError(
            f"[callback] {type(self).__name__} monitors {self.monitor!r}, and there are "
            f"{', '.join(logs)}: give validation data, or monitor one of these"
        )

    def _is_better(self, value: float) -> bool:
        return self._sign * value > self._sign * self.best + self._min_delta


class EarlyStopping(_Monitor):
    """Ends a fit that no longer improves.

    Args:
        monitor: Figure to look at.
        min_delta: A smaller change is no improvement.
        patience: Number of epochs without improvement before the end.
        verbose: 1 tells of the end.
        mode: "min", "max", or "auto": "max" for an accuracy.
        baseline: Value that has to be passed; without it, patience counts.
        restore_best_weights: Whether the best epoch's weights come back at the end.
        start_from_epoch: Number of first epochs that are ignored.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch

    def on_train_begin(self, logs: Logs = None) -> None:
        self.best = -self._sign * math.inf
        self.best_epoch = 0
        self.stopped_epoch = 0
        self._wait = 0
        self._weights: list[np.ndarray] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        value = self._value(logs)
        if epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self._weights is None:
            self._weights, self.best_epoch = self.model.get_weights(), epoch
        self._wait += 1
        if self._is_better(value):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self._weights = self.model.get_weights()
            beats = self.baseline is None or self._sign * value > self._sign * self.baseline
            if beats:
                self._wait = 0
            return
        if self._wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        if self.stopped_epoch > 0 and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self._weights is not None:
            self.model.set_weights(self._weights)


class ModelCheckpoint(_Monitor):
    """Saves the model after each epoch, or with save_best_only after each that is better.

    Args:
        filepath: File, .safetensors; "{epoch}" and "{val_loss}" in it become the figures.
        monitor: Figure that says what is better.
        verbose: 1 tells of each file.
        save_best_only: Whether an epoch that is not better is left out.
        mode: As of EarlyStopping.
    """

    def __init__(
        self,
        filepath: str | PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
    ):
        super().__init__(monitor, mode)
        self.filepath = str(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_best_only:
            value = self._value(logs)
            if not self._is_better(value):
                return
            self.best = value
        file = self.filepath.format(epoch=epoch + 1, **(logs or {}))
        self.model.save(file)
        if self.verbose:
            print(f"Epoch {epoch + 1}: saved {file}")
