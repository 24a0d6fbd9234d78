"""Sluice's side: `sluice bench` for a step, `sluice train` for the lab. The program is $SLUICE."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from measure import arguments, report
from works import HERE

ROOT = HERE.parents[1]
SLUICE = os.environ.get("SLUICE", ROOT / "build/release/bin/sluice")
# Networks that `sluice bench` knows by an experiment.
EXPERIMENTS = {"pays": ROOT / "experiments/pays.toml", "experts": HERE / "experts.toml"}


def sluice(*words) -> str:
    """Returns the program's standard output; its errors go to stderr."""
    result = subprocess.run([SLUICE, *map(str, words)], stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise SystemExit(result.returncode)
    return result.stdout


def measured(work: str, batch: int, seconds: float, *options) -> dict:
    """Returns the figures of `sluice bench`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.json"
        sluice("bench", work, "--batch", batch, "--seconds", seconds, "--json", file, *options)
        [result] = json.loads(file.read_text())["works"]
    return result


def bench(options) -> dict:
    network = []
    if options.network:
        name = EXPERIMENTS.get(options.network, options.network)
        network = ["--network", name, "--image-size", options.image_size]
    result = measured(options.work, options.batch, options.seconds, "--compute", options.setting,
                      *network)
    return {field: result[field] for field in ("images_per_second", "median_ms")}


def lab(options) -> dict:
    run = options.scratch / "sluice-lab"
    shutil.rmtree(run, ignore_errors=True)  # from an earlier round
    epochs = ["--set", f"train.epochs={options.epochs}"] if options.epochs else []
    sluice("train", ROOT / "experiments/lab.toml", "--data", options.data, "--run", run, *epochs)
    return {"accuracy": json.loads((run / "results.json").read_text())["mixture"]["accuracy"]}


def main() -> None:
    options = arguments()
    figures = lab(options) if options.work == "lab" else bench(options)
    report(sluice("--version").strip(), options.threads, figures)


if __name__ == "__main__":
    main()
