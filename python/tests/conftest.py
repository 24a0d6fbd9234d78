"""Pictures of three classes that a network learns in seconds."""

import numpy as np
import pytest

import sluice


def colours(count, seed=0):
    """Noisy red, green and blue pictures of 8x8, and their class."""
    random = np.random.default_rng(seed)
    y = np.arange(count) % 3
    x = random.integers(0, 120, (count, 8, 8, 3))
    x[np.arange(count), :, :, y] += 60
    return x.astype(np.uint8), y


def quarters(count, seed=0):
    """Grey 8x8 pictures, dark (0, 1) or light (2, 3), with a square in one of two corners."""
    random = np.random.default_rng(seed)
    y = np.arange(count) % 4
    x = random.integers(0, 60, (count, 8, 8))
    x[y >= 2] += 120
    for i, (row, column) in enumerate([(0, 0), (4, 4), (0, 4), (4, 0)]):
        x[y == i, row : row + 4, column : column + 4] += 30
    return x.astype(np.uint8), y


@pytest.fixture
def data():
    return colours(240)


@pytest.fixture
def model():
    return small()


def small(seed=0, outputs=3, input_shape=(8, 8, 3)):
    model = sluice.Sequential(
        [
            sluice.Input(input_shape),
            sluice.layers.Conv2D(8, 3, padding="same", activation="relu"),
            sluice.layers.GlobalAveragePooling2D(),
            sluice.layers.Dense(outputs, activation="softmax"),
        ],
        seed=seed,
    )
    model.compile(optimizer=sluice.optimizers.Adam(0.01))
    return model
