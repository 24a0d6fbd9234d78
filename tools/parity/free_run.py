"""Measures how far trainings with the same start diverge by themselves: Sluice, Keras in fp32
and fp64, 100 steps without resynchronisation. It makes the table of docs/fidelity.md.

    free_run.py --driver PROGRAM [--model cnn-small] [--dropout]
"""

import argparse
import tempfile
from pathlib import Path

import keras_models  # first: it sets TensorFlow's environment
import keras
import numpy as np

from keras_run import compiled
from live import worst_tensor
from scenario import STEPS, Scenario

Weights = dict[str, np.ndarray]


def train_sluice(scenario: Scenario) -> dict[int, Weights]:
    after = {}
    for step, (_, weights) in enumerate(scenario.steps(STEPS[-1]), start=1):
        if step in STEPS:
            after[step] = weights
    return after


def train_keras(scenario: Scenario, floatx: str) -> dict[int, Weights]:
    keras.config.set_floatx(floatx)
    parity, _ = keras_models.build(scenario.model, scenario.dropout)
    model = compiled(parity, scenario)
    masks = scenario.step_masks(parity.masks)
    after = {}
    for step in range(STEPS[-1]):
        model.train_on_batch(*scenario.batch(step, masks, model.output_shape[-1]))
        if step + 1 in STEPS:
            after[step + 1] = keras_models.get_weights(parity)
    return after


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--driver", type=Path, required=True, help="sluice_parity_driver")
    parser.add_argument("--model", default="cnn-small")
    parser.add_argument("--dropout", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scenario = Scenario(arguments.driver, arguments.model, arguments.dropout, Path(folder))
    runs = {"Sluice": train_sluice(scenario), "fp32": train_keras(scenario, "float32"),
            "fp64": train_keras(scenario, "float64")}
    print(f"{'steps':>5}{'Sluice, fp32':>15}{'Sluice, fp64':>15}{'fp32, fp64':>15}")
    for step in STEPS:
        figures = [worst_tensor(runs[one][step], runs[other][step])[0]
                   for one, other in (("Sluice", "fp32"), ("Sluice", "fp64"), ("fp32", "fp64"))]
        print(f"{step:>5}" + "".join(f"{figure:>15.1e}" for figure in figures))


if __name__ == "__main__":
    main()
