"""The lab's models in real Keras layers, except that Dropout multiplies by a given mask."""

import os
from dataclasses import dataclass, field

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
from keras import layers, ops

INPUT = (32, 32, 3)
CLASSES = 10
GROUPS = ("artificial", "natural")


class Masks:
    """Makes a model's Dropout layers; with dropout, each gets an input for its mask."""

    def __init__(self, on: bool):
        self.on = on
        self.inputs: dict[str, keras.KerasTensor] = {}
        self.rates: dict[str, float] = {}

    def __call__(self, x, prefix: str, layer: str, rate: float):
        if not self.on:
            return layers.Dropout(0.0)(x)
        name = prefix + layer
        self.inputs[name] = keras.Input(x.shape[1:])
        self.rates[name] = rate
        return layers.Multiply()([x, self.inputs[name]])


@dataclass
class Parity:
    """A Keras model of [images, mask, ...] whose variables have Sluice's names."""
    model: keras.Model
    masks: Masks
    variables: dict = field(default_factory=dict)


class Builder:
    def __init__(self, dropout: bool):
        self.masks = Masks(dropout)
        self.layers: dict[str, keras.Layer] = {}

    def _keep(self, name: str, layer: keras.Layer) -> keras.Layer:
        self.layers[name] = layer
        return layer

    def cnn(self, image, prefix: str, outputs: int, blocks: int = 2):
        x = image
        for block in range(1, blocks + 1):
            for i in (1, 2):
                x = self._keep(f"{prefix}conv{block}.{i}", layers.Conv2D(
                    16 * 2 ** block, 3, padding="same", activation="relu"))(x)
            x = self.masks(layers.MaxPooling2D()(x), prefix, f"drop{block}", 0.25)
        return self.head(x, prefix, f"drop{blocks + 1}", outputs)

    def head(self, x, prefix: str, drop: str, outputs: int):
        x = layers.Flatten()(x)
        x = self._keep(f"{prefix}dense1", layers.Dense(512, activation="relu"))(x)
        x = self.masks(x, prefix, drop, 0.5)
        return self._keep(f"{prefix}output", layers.Dense(outputs, activation="softmax"))(x)

    def importance(self, image, prefix: str):
        return layers.Reshape((CLASSES, 2))(self.head(image, prefix, "drop1", 2 * CLASSES))

    def mixture(self, image):
        gate = self.cnn(image, "gate/", 2)
        baseline = self.cnn(image, "baseline/", CLASSES)
        sub_gates = []
        for group in GROUPS:
            expert = self.cnn(image, f"expert-{group}/", CLASSES)
            weight = self.importance(image, f"importance-{group}/")
            sub_gates.append(baseline * weight[:, :, 0] + expert * weight[:, :, 1])
        return ops.where(gate[:, 0:1] > gate[:, 1:2], *sub_gates), gate


def build(name: str, dropout: bool) -> tuple[Parity, keras.Model | None]:
    """Builds the model, and for a mixture its gate as a model with the same inputs."""
    builder = Builder(dropout)
    image = keras.Input(INPUT)
    gate = None
    if name == "importance":
        # As a separate classifier it has 20 classes and the loss of the softmax. Only the mixture
        # needs the reshape to (10, 2).
        output = builder.head(image, "", "drop1", 2 * CLASSES)
    elif name.startswith("mixture"):
        output, gate = builder.mixture(image)
    else:
        output = builder.cnn(image, "", 2 if name == "gate" else CLASSES,
                             3 if name == "cnn-large" else 2)
    inputs = [image, *builder.masks.inputs.values()]
    parity = Parity(keras.Model(inputs, output), builder.masks)
    for layer_name, layer in builder.layers.items():
        parity.variables[f"{layer_name}/kernel"] = layer.kernel
        parity.variables[f"{layer_name}/bias"] = layer.bias
    return parity, keras.Model(inputs, gate) if gate is not None else None


def set_weights(parity: Parity, tensors: dict[str, np.ndarray]) -> None:
    assert tensors.keys() == parity.variables.keys(), "the two have other tensors"
    for name, variable in parity.variables.items():
        variable.assign(tensors[name].reshape(variable.shape))


def get_weights(parity: Parity) -> dict[str, np.ndarray]:
    return {name: np.array(variable) for name, variable in parity.variables.items()}
