"""Compares the loss at edge cases: where Keras clips it, and where fp32 overflows."""

import subprocess
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file, save_file

CLASSES = 10
SHARES = (0.0, 5e-8, 9.9e-8, 1.01e-7, 2e-7, 1e-4, 0.5, 0.9999, 1.0)  # share of the true class
SUMS = (0.1, 1.0, 1.7)  # a mixture's output need not sum to one


def outputs_at_edges(random: np.random.Generator) -> np.ndarray:
    """Returns outputs at edge cases; the true class is class 0."""
    rows = []
    for share in SHARES:
        for total in SUMS:
            others = random.dirichlet(np.ones(CLASSES - 1)) * (1 - share)
            rows.append(np.concatenate([[share], others]) * total)
    return np.array(rows, np.float32)


def logits_at_edges(random: np.random.Generator, rows: int) -> np.ndarray:
    """Returns logits from small ones to those whose exponentials overflow fp32."""
    scale = np.geomspace(0.1, 200, rows)[:, None]
    return (random.standard_normal((rows, CLASSES)) * scale).astype(np.float32)


def keras_loss(values: np.ndarray, kind: str, targets: np.ndarray):
    tensor = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        # Keras finds the logits of a softmax, and uses its fused form for them.
        predicted = keras.activations.softmax(tensor) if kind == "logits" else tensor
        losses = keras.losses.CategoricalCrossentropy(reduction=None)(targets, predicted)
    return np.array(losses), np.array(tape.gradient(losses, tensor))


def compare_losses(driver: Path, folder: Path, table) -> None:
    random = np.random.default_rng(0)
    outputs = outputs_at_edges(random)
    values = {"outputs": outputs, "logits": logits_at_edges(random, len(outputs)),
              "labels": np.zeros(len(outputs), np.float32)}
    save_file(values, folder / "loss-in.safetensors")
    subprocess.run([driver, "loss", folder / "loss-in.safetensors", folder / "loss.safetensors"],
                   check=True)
    sluice = load_file(folder / "loss.safetensors")
    targets = np.eye(CLASSES, dtype=np.float32)[np.zeros(len(outputs), int)]
    for kind in ("outputs", "logits"):
        losses, gradients = keras_loss(values[kind], kind, targets)
        by_row = np.abs(sluice[f"{kind}/gradient"] - gradients).max(axis=1)
        # For logits, the gradient is a difference from the target, 1. For outputs, rows have any
        # size.
        size = 1 if kind == "logits" else np.maximum(np.abs(gradients).max(axis=1), 1e-30)
        loss = np.abs(sluice[f"{kind}/loss"] - losses) / np.maximum(np.abs(losses), 1)
        table.add("loss", "-", f"{kind}: loss", float(loss.max()), 1e-5)
        table.add("loss", "-", f"{kind}: gradient", float((by_row / size).max()), 1e-5)
    clipped = np.sum(~keras_loss(outputs, "outputs", targets)[1].any(axis=1))
    table.add("loss", "-", "clipped rows, lacking", float(max(0, 9 - clipped)), 0)
