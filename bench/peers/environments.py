"""Finds the Python of each peer, or creates it in a virtual environment below build/."""

import functools
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = "/usr/bin/python3"


class Missing(Exception):
    """A peer that cannot run here, with the reason."""


def _made(*command: str) -> str:
    """Runs a script that prints the path of a Python."""
    result = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE)
    if result.returncode != 0:
        raise Missing("its Python packages could not be installed")
    return str(ROOT / result.stdout.strip())


def _with_torch(python: str, otherwise: str) -> str:
    try:
        subprocess.run([python, "-c", "import torch"], check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        raise Missing(otherwise) from None
    return python


def _pytorch() -> str:
    own = os.environ.get("SLUICE_PYTORCH_PYTHON")
    if own:
        return _with_torch(own, f"$SLUICE_PYTORCH_PYTHON, {own}, has no PyTorch")
    return _made("scripts/python-environment", "build/pytorch-venv", "bench/peers/pytorch.txt")


def _sluice_python() -> str:
    python = ROOT / "build/python-venv/bin/python"  # which tools/python/check makes
    try:
        subprocess.run([python, "-c", "import sluice"], check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        raise Missing("the package is not built: tools/python/check") from None
    return str(python)


def _pytorch_debian() -> str:
    return _with_torch(
        DEBIAN, "apt-get install --no-install-recommends python3-torch libopenblas0-openmp")


_PYTHONS = {
    "sluice": lambda: sys.executable,
    "sluice-python": _sluice_python,
    "keras": lambda: _made("tools/parity/environment"),
    "pytorch-debian": _pytorch_debian,
    "pytorch": _pytorch,
    "onnxruntime": lambda: python_of("keras"),  # tools/parity has both
    "openvino": lambda: _made("scripts/python-environment", "build/openvino-venv",
                              "bench/peers/openvino.txt"),
}


@functools.cache
def obstacle(peer: str) -> str:
    """Returns why the peer cannot run, or nothing."""
    try:
        _PYTHONS[peer]()
    except Missing as missing:
        return str(missing)
    return ""


@functools.cache
def python_of(peer: str) -> str:
    return _PYTHONS[peer]()


def has_bf16() -> bool:
    """Whether the processor has bf16 instructions."""
    flags = Path("/proc/cpuinfo").read_text()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"
