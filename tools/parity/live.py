"""Compares Sluice with real Keras on the same weights, images and dropout masks.

    live.py --driver PROGRAM [--models cnn-small,...] [--float64] [--golden]
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import keras_models  # first: it sets TensorFlow's environment
import keras
import numpy as np

import edges
import golden
import stopping
from keras_run import KerasRun, run_keras
from scenario import STEPS, Scenario

MODELS = ("cnn-small", "cnn-large", "gate", "importance", "mixture")
EDGES = ("mixture-tie", "mixture-clipped")  # without dropout, which would hide the edge cases

# Bounds relative to a tensor's largest value, for the worst tensor. docs/fidelity.md has the
# reasons, also for the missing bound: a single element of a single step depends on rounding.
BOUNDS = {"outputs": 1e-5, "first loss": 1e-6, "gradients": 1e-4, "routed elsewhere": 0,
          "share, less a half": 0.4, "weights, 1 step": 1e-5,
          "weights, 10 steps": 1e-3, "weights, 100 steps": 1e-3, "median of 100 steps": 1e-5,
          "worst of 100 steps": None,
          "losses, 100 steps": 1e-5, "fit: loss": 1e-5, "fit: accuracy": 1e-6, "fit: weights": 1e-3}

OTHER_FIRST_WEIGHTS = 4


class Table:
    """Prints each row when it is known."""

    def __init__(self) -> None:
        self.failed = 0
        print(f"{'model':<16}{'dropout':<9}{'what':<22}{'figure':>9}{'bound':>9}")

    def add(self, model: str, dropout: str, what: str, figure: float, bound: float | None,
            worst: str = "") -> None:
        """Prints a row. Without a bound, the figure cannot fail."""
        row = f"{model:<16}{dropout:<9}{what:<22}{figure:>9.1e}"
        if bound is None:
            print(f"{row}        -", flush=True)
            return
        ok = figure <= bound  # NaN is not ok
        self.failed += not ok
        print(f"{row}{bound:>9.0e}  {'ok' if ok else 'NO: ' + worst}", flush=True)


def difference(actual: np.ndarray, expected: np.ndarray) -> float:
    """Returns the largest difference, relative to the largest value (absolute if all are zero)."""
    actual = np.asarray(actual, np.float64).ravel()
    expected = np.asarray(expected, np.float64).ravel()
    if actual.shape != expected.shape:
        return np.inf
    return float(np.abs(actual - expected).max() / (np.abs(expected).max() or 1))


def worst_tensor(actual: dict, expected: dict) -> tuple[float, str]:
    """Returns the largest difference of two sets of tensors, which must have the same names."""
    if actual.keys() != expected.keys():
        return np.inf, "only one side has " + " ".join(sorted(actual.keys() ^ expected.keys())[:2])
    return max((difference(actual[name], expected[name]), name) for name in expected)


def first_figures(scenario: Scenario, run: KerasRun) -> dict[str, tuple[float, str]]:
    return {"gradients": worst_tensor(scenario.under("gradient/"), run.gradients),
            "weights, 1 step": run.apart[1]}


def first_figures_off_corners(arguments: argparse.Namespace, scenario: Scenario, run: KerasRun,
                              folder: Path) -> dict[str, tuple[float, str]]:
    """If a value lies within rounding of a ReLU's corner, or two values of one pool are as close,
    the two programs may take different sides, and a gradient jumps there: this happens to one of a
    mixture's million values in every other batch. A wrong gradient is wrong with any weights. So if
    a figure exceeds its bound, other initial weights are tried."""
    figures = first_figures(scenario, run)
    for other in range(1, OTHER_FIRST_WEIGHTS + 1):
        beyond = [what for what in figures if not figures[what][0] <= BOUNDS[what]]
        if not beyond or arguments.golden:
            break
        for what in beyond:
            print(f"{scenario.model}: {what}: {figures[what][0]:.1e} in {figures[what][1]}: "
                  "a value at a corner? Trying other initial weights")
        scenario = Scenario(arguments.driver, scenario.model, scenario.dropout, folder, other)
        figures = first_figures(scenario, run_keras(scenario, 1, with_fit=False))
    return figures


def compare(scenario: Scenario, run: KerasRun, first: dict[str, tuple[float, str]],
            table: Table) -> None:
    def row(what: str, figure: float, worst: str = "") -> None:
        dropout = "masks" if scenario.dropout else "off"
        table.add(scenario.model, dropout, what, figure, BOUNDS[what], worst)

    row("outputs", difference(scenario["outputs"], run.outputs))
    row("first loss", difference(run.sluice_losses[:1], run.losses[:1]))
    row("gradients", *first["gradients"])
    if run.groups is not None:
        groups = scenario["steps/groups"][:len(run.groups)]
        row("routed elsewhere", float(np.sum(groups != run.groups)))
        if scenario.model != "mixture-tie":
            row("share, less a half", abs(float(np.mean(groups)) - 0.5))
    for step, figure in {**run.apart, 1: first["weights, 1 step"]}.items():
        row(f"weights, {step} step{'s' if step > 1 else ''}", *figure)
    if len(run.losses) == STEPS[-1]:
        row("median of 100 steps", *run.typical_step)
        row("worst of 100 steps", *run.worst_step)
        row("losses, 100 steps", difference(run.sluice_losses, run.losses))
    if run.history is None:
        return
    history = scenario["fit/history"]
    row("fit: loss", difference(history[:, ::2], run.history[:, ::2]))
    row("fit: accuracy", difference(history[:, 1::2], run.history[:, 1::2]))
    row("fit: weights", *worst_tensor(scenario.under("fit/after/"), run.after_fit))


def cases(arguments: argparse.Namespace) -> list[tuple[str, bool]]:
    if arguments.golden:
        os.environ["SLUICE_DATA"] = "builtin"
        return [case for case in golden.CASES if case[0] in arguments.models.split(",")]
    return [(model, dropout) for model in arguments.models.split(",")
            for dropout in ((False, True) if model in MODELS else (False,))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--driver", type=Path, required=True, help="sluice_parity_driver")
    parser.add_argument("--models", default=",".join((*MODELS, *EDGES)))
    parser.add_argument("--float64", action="store_true",
                        help="Keras in double precision: how far apart fp32 alone sets the two")
    parser.add_argument("--golden", action="store_true",
                        help="write Keras's answers on the built-in images to tests/golden")
    arguments = parser.parse_args()
    if arguments.float64:
        keras.config.set_floatx("float64")

    start = time.perf_counter()
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        edges.compare_losses(arguments.driver, Path(folder), table)
        stopping.compare_stopping(arguments.driver, table)
        for model, dropout in cases(arguments):
            scenario = Scenario(arguments.driver, model, dropout, Path(folder))
            steps = 1 if arguments.golden or model in EDGES else STEPS[-1]
            run = run_keras(scenario, steps, with_fit=model not in EDGES)
            first = first_figures_off_corners(arguments, scenario, run, Path(folder))
            compare(scenario, run, first, table)
            if arguments.golden:
                golden.write(scenario, run, Path(__file__).parents[2] / "tests/golden")
    print(f"on {scenario.data_name}, Keras {keras.version()} with TensorFlow, "
          f"{keras.config.floatx()}, {time.perf_counter() - start:.0f} s")
    if table.failed:
        print(f"{table.failed} figures exceed their bounds", file=sys.stderr)
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())
