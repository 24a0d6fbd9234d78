"""Networks of layers: Keras's Sequential, and its Model, a graph."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from sluice import initializers
from sluice._engine import Network, UserError
from sluice._json import to_json
from sluice.layers import Input, Layer, Tensor, keras_names
from sluice.models import BaseModel


class _Network(BaseModel):
    """What a chain and a graph share.

    Attributes:
        layers: The layers, in order.
    """

    def __init__(self, name: str, seed: int):
        super().__init__(name, seed)
        self.layers: list[Layer] = []

    def _make(self, shape: Sequence[int], inputs: Mapping[Layer, Sequence[Layer | None]]) -> None:
        """Names the layers as Keras does, and makes the network.

        `inputs` are the layers that a layer takes, None for the images; without them it takes the
        one before it.
        """
        for layer, layer_name in zip(self.layers, keras_names(self.layers)):
            layer.name = layer_name
        declared = [layer.declaration(layer.name or "") for layer in self.layers]
        for layer, declaration in zip(self.layers, declared):
            if layer in inputs:
                declaration["inputs"] = [each.name if each else "images" for each in inputs[layer]]
        declaration = {"name": self.name, "input_shape": list(shape), "layers": declared}
        self._network = Network.declared(to_json(declaration), self.seed)
        self._initialize(self._network)

    def _initialize(self, network: Network) -> None:
        """Makes the kernels of layers that want others than the engine's."""
        wanted = {
            layer.name: layer.kernel_initializer
            for layer in self.layers
            if layer.kernel_initializer != initializers.DEFAULT
        }
        for number, (name, kind, shape) in enumerate(network.tensors()):
            if name in wanted and kind == "kernel":
                random = np.random.default_rng([self.seed, number])
                network.set_tensor(number, initializers.kernel(wanted[name], shape, random))

    def _require_classifier(self, network: Network) -> int:
        """Returns the number of classes."""
        if len(network.output_shape) != 1:
            raise UserError(
                f"[model] its output has the shape {tuple(network.output_shape)}: let it end in "
                "Flatten or a global pooling, and Dense(classes, activation='softmax')"
            )
        last = json.loads(network.declaration)["layers"][-1]
        if last.get("activation") != "softmax":
            raise UserError(
                "[model] its last layer has no softmax, which the loss needs: give it "
                "activation='softmax'"
            )
        return network.output_shape[0]


class Sequential(_Network):
    """A chain of layers, as keras.Sequential.

    Its input is images of one shape, (height, width, channels). Bytes are divided by 255; floats
    go in as they are. Its last layer has the activation "softmax". Unlike Keras, a network without
    an Input knows its shape from the first images that it gets.

    Args:
        layers: Layers in order; the first may be an Input.
        name: Name in summaries and files.
        seed: Of the initial weights, the order of the images and dropout. The same seed, data and
            number of threads give the same weights, bit for bit.

    Example:
        >>> import numpy as np, sluice
        >>> model = sluice.Sequential([
        ...     sluice.Input((8, 8, 3)),
        ...     sluice.layers.Conv2D(4, 3, activation="relu"),
        ...     sluice.layers.GlobalAveragePooling2D(),
        ...     sluice.layers.Dense(2, activation="softmax"),
        ... ])
        >>> model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        >>> x = np.zeros((4, 8, 8, 3), np.uint8)
        >>> history = model.fit(x, np.array([0, 1, 0, 1]), epochs=2, verbose=0)
        >>> sorted(history.history)
        ['accuracy', 'loss']
    """

    def __init__(
        self,
        layers: Iterable[Layer | Input] = (),
        name: str = "sequential",
        *,
        seed: int = 0,
    ):
        super().__init__(name, seed)
        self._input: tuple[int, ...] | None = None
        for layer in layers:
            self.add(layer)

    def add(self, layer: Layer | Input) -> None:
        """Adds a layer at the end. Raises UserError behind the first use of the network."""
        if self._network is not None:
            raise UserError("[model] the network is built: make a new Sequential to add layers")
        if isinstance(layer, Input):
            if self.layers:
                raise UserError("[model] Input must be the first entry")
            self._input = layer.shape
            return
        if not isinstance(layer, Layer):
            raise UserError(
                f"[model] {layer!r} is no layer of sluice.layers: take the one with its name there"
            )
        if not self.layers and layer.input_shape is not None:
            self._input = layer.input_shape
        self.layers.append(layer)

    def build(self, input_shape: Sequence[int] | None = None) -> None:
        """Works out all shapes and makes the weights; fit() and predict() do it by themselves.

        Args:
            input_shape: (height, width, channels), if the layers do not say it.

        Raises:
            UserError: If the shape is not known, or layers do not fit together.
        """
        if self._network is not None:
            return
        shape = self._input or input_shape
        if shape is None:
            raise UserError(
                "[model] the shape of its images is not known: begin with "
                "sluice.Input((height, width, channels)), or call fit() first"
            )
        self._make(shape, {})


class Model(_Network):
    """A graph of layers, as keras.Model of the functional API.

    A layer that is called with what another gave takes that. A layer can be called once: there are
    no shared weights. Everything else is as for Sequential.

    Args:
        inputs: The images: an Input.
        outputs: What the last layer gave.
        name: Name in summaries and files.
        seed: As of Sequential.

    Raises:
        UserError: If layers do not fit together, or the output does not come from the input.

    Example:
        >>> import sluice
        >>> from sluice import layers
        >>> images = sluice.Input((8, 8, 3))
        >>> x = layers.Conv2D(4, 3, padding="same", activation="relu")(images)
        >>> y = layers.Conv2D(4, 3, padding="same")(x)
        >>> x = layers.Activation("relu")(layers.Add()([x, y]))
        >>> x = layers.GlobalAveragePooling2D()(x)
        >>> model = sluice.Model(images, layers.Dense(2, activation="softmax")(x))
        >>> model.output_shape
        (2,)
    """

    def __init__(self, inputs: Input, outputs: Tensor, name: str = "model", *, seed: int = 0):
        super().__init__(name, seed)
        if not isinstance(inputs, Input):
            raise UserError("[model] inputs must be one sluice.Input((height, width, channels))")
        if not isinstance(outputs, Tensor) or outputs.layer is None:
            raise UserError("[model] outputs must be what a layer gave")
        takes: dict[Layer, list[Layer | None]] = {}
        self._collect(outputs, inputs, takes)
        self.layers = list(takes)
        self._make(inputs.shape, takes)

    def _collect(
        self, tensor: Tensor, inputs: Input, takes: dict[Layer, list[Layer | None]]
    ) -> None:
        """Adds the layers before a tensor, each behind those that it takes."""
        tensors: list[tuple[Tensor, bool]] = [(tensor, False)]
        of_layer: dict[Layer, Tensor] = {}
        while tensors:
            each, is_ready = tensors.pop()
            layer = each.layer
            if layer is None:
                if each is not inputs:
                    raise UserError("[model] a layer takes another Input: there is one, inputs")
                continue
            if of_layer.setdefault(layer, each) is not each:
                raise UserError(f"[model] {layer!r} is called twice: make a second layer")
            if layer in takes:
                continue
            if is_ready:
                takes[layer] = [given.layer for given in each.inputs]
                continue
            tensors.append((each, True))
            tensors.extend((given, False) for given in reversed(each.inputs))


def of_network(network: Network, name: str, seed: int) -> Sequential:
    """Returns the model of a network that has its weights."""
    model = Sequential(name=name, seed=seed)
    model._network = network
    return model
