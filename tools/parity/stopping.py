"""Compares early stopping in Keras and in Sluice, on the same courses of a figure."""

import subprocess
from pathlib import Path

import keras
import numpy as np

COURSES = 400
LONGEST = 12


def random_courses(random: np.random.Generator) -> list[tuple]:
    """Draws from a coarse grid, so that equal figures and exact steps of min_delta are frequent."""
    return [(("loss", "accuracy", "val_loss", "val_accuracy")[random.integers(4)],
             int(random.integers(4)), float(random.choice([0, 0.0625, 0.25])),
             int(random.integers(4)), bool(random.integers(2)),
             [float(value) for value in random.integers(1, 16, random.integers(1, LONGEST)) / 16])
            for _ in range(COURSES)]


def compiled_model() -> keras.Model:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(loss="mse", metrics=["accuracy"])
    model.fit(np.zeros((1, 1)), np.zeros(1), verbose=0)  # creates the metrics
    return model


def keras_ends(model: keras.Model, course: tuple) -> tuple[int, float]:
    """Returns the last epoch and the final weight; each epoch sets the weight to its own number."""
    monitor, patience, min_delta, start_from_epoch, restore, values = course
    callback = keras.callbacks.EarlyStopping(
        monitor=monitor, patience=patience, min_delta=min_delta,
        start_from_epoch=start_from_epoch, restore_best_weights=restore)
    callback.set_model(model)
    model.stop_training = False
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.set_weights([np.full((1, 1), epoch + 1, np.float32)])
        callback.on_epoch_end(epoch, {monitor: value})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch + 1, float(model.get_weights()[0].item())


def compare_stopping(driver: Path, table) -> None:
    courses = random_courses(np.random.default_rng(0))
    lines = [" ".join(str(word) for word in (monitor, patience, min_delta, start, int(restore),
                                             *values))
             for monitor, patience, min_delta, start, restore, values in courses]
    done = subprocess.run([driver, "stopping"], input="\n".join(lines) + "\n", check=True,
                          capture_output=True, text=True)
    sluice = [tuple(float(word) for word in line.split()) for line in done.stdout.splitlines()]
    model = compiled_model()
    ends = [keras_ends(model, course) for course in courses]
    apart = sum(a != b for a, b in zip(sluice, ends, strict=True))
    table.add("early stopping", "-", f"of {COURSES} courses, apart", float(apart), 0)
    early = sum(end < len(course[-1]) for (end, _), course in zip(ends, courses))
    restored = sum(weight != end for end, weight in ends)
    table.add("early stopping", "-", "early ends, lacking", float(max(0, 100 - early)), 0)
    table.add("early stopping", "-", "restored, lacking", float(max(0, 50 - restored)), 0)
