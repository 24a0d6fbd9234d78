"""What the peers' programs share: their arguments, the clock, the line they print.

    PROGRAM WORK --setting WORDS [--batch N] [--seconds S] [--threads N] [--model FILE]
                 [--data DIR] [--epochs N] [--scratch DIR]
"""

import argparse
import json
import statistics
import time
from pathlib import Path

IMAGES = 10240  # to train on: a multiple of every batch
CLASSES = 10
WARM_UP = 10  # steps


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=("train", "joint", "inference", "lab"))
    parser.add_argument("--setting", required=True)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", type=Path, help="the mixture as an ONNX file")
    parser.add_argument("--data", type=Path, help="CIFAR-10's binary files, for the lab")
    parser.add_argument("--epochs", type=int, help="of each of the lab's stages")
    parser.add_argument("--scratch", type=Path, help="folder for what is left of the work")
    result = parser.parse_args()
    result.words = result.setting.split()
    return result


class Clock:
    """Times what lies between ticks, after some that warm caches, threads and compilers up."""

    def __init__(self, batch: int, seconds: float):
        self.batch = batch
        self.seconds = seconds
        self.ticks: list[float] = []

    def tick(self) -> bool:
        """After each step; whether that is enough."""
        self.ticks.append(time.perf_counter())
        measured = self.ticks[WARM_UP - 1:]
        return len(measured) > 1 and measured[-1] - measured[0] >= self.seconds

    def figures(self) -> dict[str, float]:
        measured = self.ticks[WARM_UP - 1:]
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
