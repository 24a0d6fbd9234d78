"""Compares the accuracies of finished labs: FOLDER/sluice-seed*/results.json, keras-seed*.json.

    statistical.py FOLDER
"""

import json
import math
import statistics
import sys
from pathlib import Path

MODELS = ("baseline", "expert-artificial", "expert-natural", "gate", "mixture")


def accuracies_of_sluice(results: dict) -> dict[str, float]:
    accuracies = {model: results[model]["accuracy"] for model in ("baseline", "gate", "mixture")}
    for group, expert in results["experts"].items():
        accuracies[f"expert-{group}"] = expert["accuracy"]
    return accuracies


def accuracies_of_keras(results: dict) -> dict[str, float]:
    return {model: results["models"][model]["accuracy"] for model in MODELS}


def read(files: list[Path], accuracies_of) -> dict[str, list[float]]:
    runs = [accuracies_of(json.loads(file.read_text())) for file in files]
    return {model: [run[model] for run in runs] for model in MODELS}


def standard_error(values: list[float]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values))


def described(values: list[float]) -> str:
    return (f"{statistics.mean(values):.3f} ± {standard_error(values):.3f} "
            f"({min(values):.3f}-{max(values):.3f})")


def row(model: str, sluice: list[float], keras: list[float]) -> str:
    difference = statistics.mean(sluice) - statistics.mean(keras)
    error = math.hypot(standard_error(sluice), standard_error(keras))
    within = "yes" if abs(difference) <= 2 * error else "no"
    return (f"| {model} | {described(sluice)} | {described(keras)} | {difference:+.3f} | "
            f"{error:.3f} | {within} |")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("statistical.py FOLDER")
    folder = Path(sys.argv[1])
    runs = {"Sluice": sorted(folder.glob("sluice-seed*/results.json")),
            "Keras": sorted(folder.glob("keras-seed*.json"))}
    for name, files in runs.items():
        if len(files) < 2:
            sys.exit(f"{folder} has {len(files)} finished runs of {name}: two are the least")
    sluice = read(runs["Sluice"], accuracies_of_sluice)
    keras = read(runs["Keras"], accuracies_of_keras)
    print(f"Test accuracy: mean ± standard error (least-largest) over {len(runs['Sluice'])} seeds "
          f"of Sluice and {len(runs['Keras'])} of Keras\n")
    print("| model | Sluice | Keras | difference | its standard error | within two |")
    print("|---|---|---|---|---|---|")
    for model in MODELS:
        print(row(model, sluice[model], keras[model]))


if __name__ == "__main__":
    main()
