"""Options of bench/peers/run."""

import argparse
from pathlib import Path

from works import NETWORKS, PROGRAMS, STEPS


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        self.exit(2, f"{self.prog}: {message}\n")


def positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return int(text)


def listed(choices):
    def parse(text: str) -> list[str]:
        words = text.split(",")
        for word in words:
            if word not in choices:
                raise argparse.ArgumentTypeError(f"{word}: choose from {', '.join(choices)}")
        return words
    return parse


def arguments() -> argparse.Namespace:
    parser = Parser(prog="bench/peers/run", description=(
        "Measures the same work in Sluice, Keras, PyTorch, ONNX Runtime and OpenVINO, each setting "
        "in a fresh process, one after the other, in rounds. Run nothing else meanwhile. Ctrl-C "
        "loses the current round; the same --out continues."))
    parser.add_argument("--rounds", type=positive, help="default: 5, for the lab 1")
    parser.add_argument("--seconds", type=float, default=4, help="of measuring in each process")
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--works", type=listed((*STEPS, *NETWORKS)), default=list(STEPS),
                        help=f"default: {','.join(STEPS)}; more: {','.join(NETWORKS)}")
    parser.add_argument("--peers", type=listed(PROGRAMS), default=list(PROGRAMS),
                        help=",".join(PROGRAMS))
    parser.add_argument("--without", type=lambda text: text.split(","), default=[],
                        help="leaves out settings with one of these words: XLA,compiled")
    parser.add_argument("--compute", type=listed(("exact", "fast", "auto")),
                        default=["exact", "fast"], help="Sluice's modes: exact,fast,auto")
    parser.add_argument("--lab", action="store_true",
                        help="the whole lab in place of the steps: minutes for each setting")
    parser.add_argument("--data", type=Path,
                        help="binary files of CIFAR-10 for the lab (default: random pixels)")
    parser.add_argument("--epochs", type=positive,
                        help="epochs of each stage of the lab (default: its own)")
    parser.add_argument("--out", type=Path, default=Path("runs/peers"),
                        help="folder for results (default: runs/peers)")
    options = parser.parse_args()
    if not options.lab and (options.data or options.epochs):
        parser.error("--data and --epochs are the lab's: give --lab too")
    if options.data and not (options.data / "data_batch_1.bin").exists():
        parser.error(f"{options.data} has no data_batch_1.bin: is it CIFAR-10's binary version?")
    options.rounds = options.rounds or (1 if options.lab else 5)
    options.works = ["lab"] if options.lab else options.works
    options.out = options.out.resolve()
    options.data = options.data and options.data.resolve()
    return options
