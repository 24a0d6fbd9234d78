#!/usr/bin/env python3
"""The recipe of experiments/fast.toml in PyTorch, on the same images.

    bench/peers/torch_fast.py --data DIR [--seed 0] [--epochs N] [--width 1] [--train-images N] [--threads 2]
                              [--channels-last] [--compile] [--bf16] [--scratch DIR]

DIR has train/CLASS/*.jpg and test/CLASS/*.jpg. The first run decodes them into the scratch folder
(default: runs/torch-fast). It prints a line after each epoch, and last the results as JSON. Their
seconds are those of training with the tests after each epoch, and of the last test."""

import argparse
import os
import subprocess
import sys
import zlib
from pathlib import Path

import environments
from options import Parser, positive
from process import KEEP_MEMORY
from works import HERE


def arguments() -> argparse.Namespace:
    parser = Parser(prog="bench/peers/torch_fast.py",
                    description="Trains the recipe of experiments/fast.toml in PyTorch.")
    parser.add_argument("--data", type=Path, required=True,
                        help="folder with train/CLASS/*.jpg and test/CLASS/*.jpg")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=positive, help="default: those of fast.toml")
    parser.add_argument("--width", type=float, default=1, help="as model.width (default: 1)")
    parser.add_argument("--train-images", type=positive, help="random images (default: all)")
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true", help="by torch.compile")
    parser.add_argument("--bf16", action="store_true", help="autocast to bf16")
    parser.add_argument("--scratch", type=Path, default=Path("runs/torch-fast"),
                        help="folder for decoded images (default: runs/torch-fast)")
    options = parser.parse_args()
    for half in ("train", "test"):
        if not (options.data / half).is_dir():
            parser.error(f"{options.data / half} is missing: --data has train and test")
    return options


def decoded(half: Path, scratch: Path) -> Path:
    """Decodes the images of a half if no earlier run did."""
    where = zlib.crc32(str(half.resolve()).encode())
    file = scratch / f"{half.name}-{where:08x}.npz"
    if not file.exists():
        scratch.mkdir(parents=True, exist_ok=True)
        # The environment of tools/parity has Pillow.
        command = [environments.python_of("keras"), str(HERE / "folder_images.py"), half, file]
        if subprocess.run(command).returncode != 0:
            sys.exit(1)
    return file


def main() -> None:
    options = arguments()
    words = ["channels_last" if options.channels_last else "contiguous",
             *["compiled"] * options.compile, *["bf16"] * options.bf16]
    try:
        command = [environments.python_of("pytorch"), str(HERE / "torch_recipe.py"), *words,
                   "--train", str(decoded(options.data / "train", options.scratch)),
                   "--test", str(decoded(options.data / "test", options.scratch)),
                   "--seed", str(options.seed), "--threads", str(options.threads),
                   "--width", str(options.width)]
    except environments.Missing as missing:
        sys.exit(f"bench/peers/torch_fast.py: {missing}")
    if options.epochs:
        command += ["--epochs", str(options.epochs)]
    if options.train_images:
        command += ["--train-images", str(options.train_images)]
    os.execve(command[0], command, {**KEEP_MEMORY, **os.environ,
                                    "OMP_NUM_THREADS": str(options.threads)})


if __name__ == "__main__":
    main()
