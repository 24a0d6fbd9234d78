"""What happens around the steps of a fit: callbacks and progress."""

from __future__ import annotations

from collections.abc import Sequence

from sluice._progress import Progress
from sluice.callbacks import Callback


def _has_batch_hooks(callback: Callback) -> bool:
    kind = type(callback)
    return (
        kind.on_train_batch_begin is not Callback.on_train_batch_begin
        or kind.on_train_batch_end is not Callback.on_train_batch_end
    )


class Hooks:
    """Calls the callbacks of a fit in Keras's order. The engine counts epochs and steps from 1.

    Args:
        callbacks: Callbacks, each with its model set.
        progress: Shows steps and epochs.
        has_validation: Whether an epoch has val_ figures.
    """

    def __init__(self, callbacks: Sequence[Callback], progress: Progress, has_validation: bool):
        self._callbacks = callbacks
        self._of_batches = [each for each in callbacks if _has_batch_hooks(each)]
        self._progress = progress
        names = ["loss", "accuracy", "val_loss", "val_accuracy"]
        self._names = names if has_validation else names[:2]

    @property
    def every_step(self) -> bool:
        """Whether step() has to be called after each step."""
        return bool(self._of_batches)

    def begin(self) -> None:
        """Before the first epoch."""
        for callback in self._callbacks:
            callback.on_train_begin()
        self._begin_epoch(0)

    def step(
        self, epoch: int, step: int, steps: int, loss: float, accuracy: float, *seconds: float
    ) -> None:
        """After a step; the rest is for Progress.step()."""
        self._progress.step(epoch, step, steps, loss, accuracy, *seconds)
        for callback in self._of_batches:
            callback.on_train_batch_end(step - 1, {"loss": loss, "accuracy": accuracy})
            if step < steps:
                callback.on_train_batch_begin(step)

    def end_epoch(self, epoch: int, *figures: float) -> bool:
        """After an epoch. Returns whether all callbacks want to go on."""
        logs = dict(zip(self._names, figures))
        self._progress.end_epoch(epoch, logs)
        for callback in self._callbacks:
            callback.on_epoch_end(epoch - 1, dict(logs))
        goes_on = not any(callback.model.stop_training for callback in self._callbacks)
        if goes_on and epoch < self._progress.epochs:
            self._begin_epoch(epoch)
        return goes_on

    def end(self) -> None:
        """After the last epoch."""
        for callback in self._callbacks:
            callback.on_train_end()

    def _begin_epoch(self, epoch: int) -> None:
        for callback in self._callbacks:
            callback.on_epoch_begin(epoch)
        for callback in self._of_batches:
            callback.on_train_batch_begin(0)
