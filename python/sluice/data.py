"""Images by name, from folders and from files of other tools."""

from __future__ import annotations

import sys
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from sluice import _engine
from sluice._json import to_json

_Half = tuple[np.ndarray, np.ndarray]
_SETS = ("cifar-10", "cifar-100", "mnist", "fashion-mnist")


class Dataset:
    """Images and their classes, from load_data().

    Attributes:
        name: Name of the set.
        source: Where it was found.
        class_names: Names of the classes, by number.
        x_train, x_test: uint8 (images, height, width, channels).
        y_train, y_test: int32 (images,), numbers of classes.
        x_validation, y_validation: The same of data that has its own images to validate on; empty
            otherwise.
    """

    def __init__(
        self, name: str, source: str, class_names: list[str], train: _Half, test: _Half, held: _Half
    ):
        self.name = name
        self.source = source
        self.class_names = class_names
        self.x_train, self.y_train = train
        self.x_test, self.y_test = test
        self.x_validation, self.y_validation = held

    def __repr__(self) -> str:
        return (
            f"<{self.name}: {len(self.x_train)} images to train on, {len(self.x_test)} to test on, "
            f"{len(self.class_names)} classes, {self.x_train.shape[1:]}>"
        )

    def _repr_html_(self) -> str:
        """A table with the number of images of each class."""
        from sluice._html import table

        halves = {"training": self.y_train, "test": self.y_test, "validation": self.y_validation}
        counts = {
            name: np.bincount(labels, minlength=len(self.class_names))
            for name, labels in halves.items()
            if len(labels)
        }
        rows = [
            [class_name, *(str(its[number]) for its in counts.values())]
            for number, class_name in enumerate(self.class_names)
        ]
        return table([self.name, *counts], rows)


def load_data(
    place: str | PathLike[str] = "cifar-10", *, verbose: int = 1, **options: Any
) -> Dataset:
    """Loads images.

    Args:
        place: A set's name: "cifar-10", "cifar-100", "mnist", "fashion-mnist", found where
            $SLUICE_DATA, an earlier download or Keras has them; CIFAR-10 is downloaded if it is not
            there. Or a place: a folder with a folder
            of pictures for each class, a CSV file, NumPy's arrays, files of CIFAR; or "builtin" for
            images in place of CIFAR-10, which Sluice draws.
        verbose: 0 tells nothing.
        options: Keys of [data] in an experiment, such as image_size=64, channels=1,
            train_images=1000, test_split=0.2, validation_split=0.1, skip_broken=True.

    Returns:
        The images.

    Raises:
        UserError: If the place has no such images, or a picture cannot be read.
    """
    named = str(place) in _SETS
    chosen = {"set": str(place) if named else "folder", **options}
    if str(place) == "builtin":
        chosen["set"] = "cifar-10"
    is_live = verbose > 0 and sys.stdout.isatty()

    def say(line: str) -> None:
        if verbose:
            print(line)

    def progress(done: int, total: int) -> None:
        if is_live:
            print(f"\r{done} of {total} pictures", end="\n" if done == total else "", flush=True)

    def download(folder: str) -> None:
        from sluice._download import fetch

        fetch(Path(folder), say)

    keys = [f"data.{key}={to_json(value)}" for key, value in chosen.items()]
    return Dataset(*_engine.load(keys, "" if named else str(place), say, progress, download))
