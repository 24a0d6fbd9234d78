"""See check."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
from scipy import optimize, special, stats
from sklearn import metrics
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

EXACT = 1e-6  # predictions.csv and events have single precision
LEVEL = 0.05


class Check:
    def __init__(self):
        self.checked = 0
        self.faults = 0

    def near(self, what: str, ours, theirs, bound: float = EXACT) -> None:
        difference = float(np.max(np.abs(np.asarray(ours, float) - np.asarray(theirs, float))))
        self.checked += 1
        if not difference <= bound:
            self.faults += 1
            print(f"{what}: Sluice {ours}, here {theirs}")


def plain(text: str) -> str:
    """Removes the ' that keeps spreadsheets from reading a name as a formula."""
    return text[1:] if text.startswith("'") and text[1:2] in tuple("=+-@\t\r") else text


class Predictions:
    def __init__(self, file: Path):
        with file.open(newline="") as stream:
            rows = [{key: plain(value) for key, value in row.items()}
                    for row in csv.DictReader(stream)]
        self.truth = np.array([row["truth"] for row in rows])
        self.rows = rows

    def answers(self, model: str) -> np.ndarray:
        return np.array([row[model] for row in self.rows])

    def right(self, model: str) -> np.ndarray:
        return self.answers(model) == self.truth

    def probabilities(self, model: str, classes: list[str]) -> np.ndarray:
        return np.array([[float(row[f"{model}:{name}"]) for name in classes] for row in self.rows])


def calibration_error(probabilities: np.ndarray, right: np.ndarray, bins: int) -> float:
    confidence = probabilities.max(axis=1)
    place = np.clip(np.ceil(confidence * bins) - 1, 0, bins - 1)
    return sum(abs(confidence[place == b].sum() - right[place == b].sum())
               for b in range(bins)) / len(right)


def check_standing(check: Check, name: str, standing: dict, predictions: Predictions,
                   classes: list[str]) -> None:
    right = predictions.right(name)
    wilson = stats.binomtest(int(right.sum()), len(right)).proportion_ci(0.95, method="wilson")
    probabilities = predictions.probabilities(name, classes)
    labels = np.array([classes.index(truth) for truth in predictions.truth])
    # scikit-learn requires rows that sum to one, and clips differently; the bound is Sluice's.
    chosen = np.clip(probabilities[np.arange(len(labels)), labels], 1e-7, 1)
    check.near(f"{name}: accuracy", standing["accuracy"], right.mean())
    check.near(f"{name}: Wilson", standing["accuracy_95"], [wilson.low, wilson.high])
    check.near(f"{name}: log loss", standing["log_loss"], -np.log(chosen).mean(), 1e-5)
    if probabilities.min() > 1e-7:
        exact = probabilities / probabilities.sum(axis=1, keepdims=True)
        check.near(f"{name}: log_loss()", standing["log_loss"],
                   metrics.log_loss(labels, exact, labels=range(len(classes))), 1e-5)
    bins = len(standing["reliability"]["bins"])
    check.near(f"{name}: calibration error", standing["ece"],
               calibration_error(probabilities, right, bins), 1e-5)


def score_interval(first: int, second: int, images: int) -> list[float]:
    """Tango's interval, with maximum-likelihood shares from a search instead of their formula."""
    estimate = (second - first) / images

    def excess(difference: float) -> float:
        shares = lambda q: ((first, q), (second, q + difference),
                            (images - first - second, 1 - 2 * q - difference))
        likeliest = optimize.minimize_scalar(
            lambda q: -sum(special.xlogy(count, share) for count, share in shares(q)),
            bounds=(max(0, -difference), (1 - difference) / 2), method="bounded",
            options={"xatol": 1e-12}).x
        variance = images * (2 * likeliest + difference - difference**2)
        return (images * (estimate - difference))**2 - stats.chi2.ppf(1 - LEVEL, 1) * variance

    margin = 1e-9  # the variance can be 0 only at -1 and 1
    return [end if abs(estimate - end) < margin else
            optimize.brentq(excess, end - np.sign(end) * margin, estimate + np.sign(end) * margin)
            for end in (-1.0, 1.0)]


def check_difference(check: Check, what: str, found: dict, first: np.ndarray,
                     second: np.ndarray) -> None:
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    changed = only_first + only_second
    p = stats.binomtest(only_first, changed).pvalue if changed else 1.0
    check.near(f"{what}: difference", found["accuracy"], second.mean() - first.mean())
    check.near(f"{what}: McNemar", found["p_value"], p)
    low, high = score_interval(only_first, only_second, len(first))
    if p >= LEVEL:
        low, high = min(low, 0), max(high, 0)
    check.near(f"{what}: interval", found["accuracy_95"], [low, high])


def check_report(check: Check, name: str, report: dict, predictions: Predictions,
                 classes: list[str]) -> None:
    theirs = metrics.classification_report(predictions.truth, predictions.answers(name),
                                           labels=classes, output_dict=True, zero_division=0)
    rows = {**report["classes"], "macro avg": report["macro"], "weighted avg": report["weighted"]}
    for row, figures in rows.items():
        check.near(f"{name}: {row}", [figures[key] for key in ("precision", "recall", "f1", "support")],
                   [theirs[row][key] for key in ("precision", "recall", "f1-score", "support")])


def check_events(check: Check, run: Path) -> None:
    """Compares TensorBoard's curves with history.csv."""
    for folder in sorted(run.glob("tensorboard/*/*")):
        model, prefix = folder.parent.name, "val_" if folder.name == "validation" else ""
        with (run / model / "history.csv").open(newline="") as stream:
            history = list(csv.DictReader(stream))
        events = EventAccumulator(str(folder)).Reload()
        for figure in ("loss", "accuracy"):
            points = events.Scalars(f"epoch_{figure}")
            check.near(f"{model}: steps", [point.step for point in points], range(len(history)))
            check.near(f"{model}: {prefix}{figure}", [point.value for point in points],
                       [float(row[prefix + figure]) for row in history])


def check_run(check: Check, run: Path) -> None:
    results = json.loads((run / "results.json").read_text())
    predictions = Predictions(run / "predictions.csv")
    classes, verdict = results["data"]["class_names"], results["verdict"]
    standings = {"baseline": verdict["baseline"], "mixture": verdict["mixture"],
                 **verdict["controls"]}
    for name, standing in standings.items():
        check_standing(check, name, standing, predictions, classes)
    right = {name: predictions.right(name) for name in standings}
    check_difference(check, "mixture", verdict["difference"], right["baseline"], right["mixture"])
    for name, control in verdict["controls"].items():
        check_difference(check, name, control["over_baseline"], right["baseline"], right[name])
        check_difference(check, f"mixture over {name}", control["mixture_over_it"], right[name],
                         right["mixture"])
    for name in ("baseline", "mixture"):
        check_report(check, name, results[name]["classification_report"], predictions, classes)
    check_events(check, run)


def main() -> None:
    check = Check()
    for run in sys.argv[1:]:
        check_run(check, Path(run))
    print(f"{check.checked} figures of {', '.join(sys.argv[1:])} compared, {check.faults} differ")
    sys.exit(1 if check.faults or not check.checked else 0)


if __name__ == "__main__":
    main()
