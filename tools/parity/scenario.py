"""Converts the output of Sluice's driver for one scenario to Keras's inputs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import load_file

from keras_models import Masks

STEPS = (1, 10, 100)
BATCH, BATCHES, FIT_BATCH = 16, 10, 32  # as in scenario.h
FIT_LEARNING_RATE = 1e-5


class MaskInputs:
    """Mask inputs of each training step, in the model's order."""

    def __init__(self, masks: Masks, packed: dict[str, np.ndarray], steps: int, batch: int):
        self.masks, self.batch = masks, batch
        self.packed = {name: packed[name].astype("<u2").reshape(steps, -1)
                       for name in masks.inputs}

    def of_step(self, step: int, rows: int) -> list[np.ndarray]:
        return [self._of_layer(name, step)[:rows] for name in self.packed]

    def _of_layer(self, name: str, step: int) -> np.ndarray:
        bits = np.unpackbits(self.packed[name][step].view(np.uint8), bitorder="little")
        shape = (self.batch, *self.masks.inputs[name].shape[1:])
        kept = bits[:np.prod(shape)].reshape(shape)
        return kept.astype(keras.config.floatx()) / (1 - self.masks.rates[name])


class Scenario:
    def __init__(self, driver: Path, model: str, dropout: bool, folder: Path, other: int = 0):
        """`other` selects other initial weights, by number."""
        file = folder / f"{model}.safetensors"
        self.driver = subprocess.Popen(
            [driver, model, "on" if dropout else "off", file, str(other)], stdout=subprocess.PIPE)
        self.data_name = self.driver.stdout.readline().decode().strip()
        if not self.data_name:
            sys.exit(f"{driver} {model} failed")
        self.tensors = load_file(file)
        os.remove(file)  # a mixture's file has some 300 MB
        self.model, self.dropout = model, dropout
        self.labels = self.tensors["train/labels"].astype(int)
        self.test_labels = self.tensors["test/labels"].astype(int)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.tensors[name]

    def images(self, rows) -> np.ndarray:
        return self["train/images"][rows].astype(keras.config.floatx())

    def under(self, prefix: str) -> dict[str, np.ndarray]:
        """Returns the tensors whose names start with `prefix`, without it."""
        return {name.removeprefix(prefix): tensor for name, tensor in self.tensors.items()
                if name.startswith(prefix)}

    def steps(self, count: int) -> Iterator[tuple[float, dict[str, np.ndarray]]]:
        """Yields Sluice's loss and weights after each step; only once: they come through a pipe."""
        shapes = {name: tensor.shape for name, tensor in sorted(self.under("first/").items())}
        ends = np.cumsum([1, *(np.prod(shape, dtype=int) for shape in shapes.values())])
        for _ in range(count):
            values = np.frombuffer(self.driver.stdout.read(int(ends[-1]) * 4), np.float32)
            yield float(values[0]), dict(zip(shapes, np.split(values, ends)[1:-1]))
        self.driver.stdout.close()  # ends the driver if it has more steps
        self.driver.wait()

    def step_masks(self, masks: Masks) -> MaskInputs:
        return MaskInputs(masks, self.under("steps/mask/"), STEPS[-1], BATCH)

    def epoch(self, epoch: int, masks: Masks, classes: int):
        """Returns an epoch's inputs and targets, in Sluice's order."""
        batches = -(-len(self.labels) // FIT_BATCH)
        inputs = MaskInputs(masks, self.under("fit/mask/"),
                            batches * len(self["fit/history"]), FIT_BATCH)
        rows = self[f"fit/order{epoch + 1}"].astype(int)
        by_batch = [inputs.of_step(epoch * batches + batch, len(rows) - batch * FIT_BATCH)
                    for batch in range(batches)]
        return ([self.images(rows), *map(np.concatenate, zip(*by_batch))],
                one_hot(self.labels[rows], classes))

    def test(self, masks: Masks, classes: int):
        images = self["test/images"].astype(keras.config.floatx())
        ones = [np.ones((len(images), *tensor.shape[1:]), images.dtype)
                for tensor in masks.inputs.values()]  # dropout is off
        return [images, *ones], one_hot(self.test_labels, classes)

    def batch(self, step: int, masks: MaskInputs, classes: int):
        first = step % BATCHES * BATCH
        rows = slice(first, first + BATCH)
        return ([self.images(rows), *masks.of_step(step, BATCH)],
                one_hot(self.labels[rows], classes))


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    return np.eye(classes, dtype=keras.config.floatx())[labels]
