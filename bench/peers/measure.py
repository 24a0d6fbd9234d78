"""Shared code of the peers' programs: arguments, clock, and the line that they print.

    PROGRAM WORK --setting WORDS [--batch N] [--seconds S] [--threads N] [--model FILE]
                 [--network NAME --image-size N] [--data DIR] [--epochs N] [--scratch DIR]
"""

import argparse
import json
import statistics
import time
from pathlib import Path

IMAGES = 10240  # number of training images: a multiple of every batch
CLASSES = 10
WARM_UP = 10  # steps
LONG_WARM_UP = 3  # seconds


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=("train", "joint", "inference", "lab"))
    parser.add_argument("--setting", required=True)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--network", help="in place of the lab's models")
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--model", type=Path, help="the mixture or network as an ONNX file")
    parser.add_argument("--data", type=Path, help="CIFAR-10's binary files, for the lab")
    parser.add_argument("--epochs", type=int, help="number of epochs of each stage of the lab")
    parser.add_argument("--scratch", type=Path, help="folder for temporary files")
    result = parser.parse_args()
    result.words = result.setting.split()
    return result


class Clock:
    """Measures the time between ticks, after some that warm up caches, threads and compilers."""

    def __init__(self, batch: int, seconds: float):
        self.batch = batch
        self.seconds = seconds
        self.ticks: list[float] = []

    def tick(self) -> bool:
        """Call it after each step; returns whether the measurement is complete."""
        self.ticks.append(time.perf_counter())
        measured = self.measured()
        return len(measured) > 1 and measured[-1] - measured[0] >= self.seconds

    def measured(self) -> list[float]:
        """Returns the ticks from the end of the warm-up on: after 10 steps, or after 2 or more when
        3 seconds have passed since the first, in which a compiler may work."""
        for i, tick in enumerate(self.ticks):
            if i + 1 == WARM_UP or tick - self.ticks[0] >= LONG_WARM_UP:
                return self.ticks[i:]
        return []

    def figures(self) -> dict[str, float]:
        measured = self.measured()
        steps = [later - earlier for earlier, later in zip(measured, measured[1:])]
        return {"images_per_second": self.batch * len(steps) / sum(steps),
                "median_ms": 1000 * statistics.median(steps)}


def measure(step, batch: int, seconds: float) -> dict[str, float]:
    clock = Clock(batch, seconds)
    step()
    while not clock.tick():
        step()
    return clock.figures()


def report(version: str, threads: int, figures: dict) -> None:
    print(json.dumps({**figures, "threads": threads, "version": version}), flush=True)
