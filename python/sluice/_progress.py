"""What fit() shows while it works."""

from __future__ import annotations

import sys
import time
from typing import Any

_WIDTH = 80


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


def _bar(steps: int, title: str) -> Any:
    """A bar of tqdm, or None without tqdm."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=steps, desc=title, leave=False, unit="step")


class Progress:
    """Counts the steps of an epoch, in a line of the terminal or in a notebook's bar, and leaves a
    line for each epoch.

    Args:
        epochs: Number of epochs.
        verbose: As in Sequential.fit().
    """

    def __init__(self, epochs: int, verbose: int | str):
        level = 1 if verbose == "auto" else int(verbose)
        self.epochs = epochs
        self._is_quiet = level == 0
        self._is_line = level == 1 and sys.stdout.isatty()
        self._is_bar = level == 1 and not self._is_line and _in_notebook()
        self._bar: Any = None
        self._is_open = False  # whether the line of the terminal has no end yet
        self._begin = time.monotonic()

    def step(
        self,
        epoch: int,
        step: int,
        steps: int,
        loss: float,
        accuracy: float,
        seconds_per_step: float,
        seconds_left: float,
    ) -> None:
        """Shows the figures of the epoch so far; epoch and step from 1."""
        if self._is_bar and self._bar is None:
            self._bar = _bar(steps, f"Epoch {epoch}/{self.epochs}")
            self._is_bar = self._bar is not None
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {loss:.4f}, accuracy {accuracy:.3f}", refresh=False)
            self._bar.update(step - self._bar.n)
        if self._is_line:
            text = (
                f"Epoch {epoch}/{self.epochs} {step}/{steps} {seconds_per_step * 1e3:.0f}ms/step "
                f"{seconds_left:.0f}s left loss {loss:.4f} accuracy {accuracy:.3f}"
            )
            print("\r" + text[: _WIDTH - 1].ljust(_WIDTH - 1), end="", flush=True)
            self._is_open = True

    def end_epoch(self, epoch: int, logs: dict[str, float]) -> None:
        """Leaves a line with the figures of an epoch, from 1."""
        self._close_bar()
        self._is_open = False
        if self._is_quiet:
            return
        seconds, self._begin = time.monotonic() - self._begin, time.monotonic()
        figures = " ".join(f"{key} {value:.4f}" for key, value in logs.items())
        text = f"Epoch {epoch}/{self.epochs} {seconds:.1f}s {figures}"
        print("\r" + text.ljust(_WIDTH - 1) if self._is_line else text, flush=True)

    def close(self) -> None:
        """Leaves the terminal, or the cell, as it should be behind a fit that ended anywhere."""
        self._close_bar()
        if self._is_open:
            print()

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
