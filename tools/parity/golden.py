"""Writes Keras's results on the built-in images to tests/golden, for a test in C++."""

import json
from pathlib import Path

import numpy as np

from keras_run import KerasRun
from scenario import Scenario

SAMPLES = 16  # number of a tensor's elements, evenly spaced: as in tests/golden_test.cpp
CASES = (("cnn-small", False), ("cnn-small", True), ("cnn-large", True), ("gate", True),
         ("importance", True), ("mixture", True), ("mixture-tie", False),
         ("mixture-clipped", False))


def short(values) -> list[float]:
    """Rounds to the fewest digits that give the same fp32 value."""
    return [float(str(np.float32(value))) for value in np.ravel(values)]


def described(tensors: dict[str, np.ndarray]) -> dict:
    described = {}
    for name, tensor in tensors.items():
        flat = np.asarray(tensor, np.float64).ravel()
        places = (2 * np.arange(SAMPLES) + 1) * flat.size // (2 * SAMPLES)
        described[name] = {"norm": short(np.linalg.norm(flat))[0],
                           "largest": short(np.abs(flat).max())[0], "sample": short(flat[places])}
    return described


def write(scenario: Scenario, run: KerasRun, folder: Path) -> None:
    case = {"model": scenario.model, "dropout": scenario.dropout, "outputs": short(run.outputs),
            "loss": run.losses[0], "gradients": described(run.gradients),
            "weights": described(run.after_first)}
    if scenario.dropout:  # other fits would take test time and show nothing new
        case["fit"] = {"history": [short(epoch) for epoch in run.history],
                       "weights": described(run.after_fit)}
    name = f"{scenario.model}-{'masks' if scenario.dropout else 'off'}.json"
    (folder / name).write_text(json.dumps(case, separators=(",", ":")).replace('{"norm', '\n{"norm')
                               + "\n")
