"""Layers of a network, with the names, arguments and defaults of keras.layers.

A layer is a declaration: it has no weights before a Sequential has its input's shape. Shapes are
(height, width, channels).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sluice import initializers
from sluice._engine import UserError

Size = int | tuple[int, int]


class Tensor:
    """What a layer gives to others, in a graph of layers: see sluice.Model.

    Attributes:
        layer: The layer; None for the images.
        inputs: What the layer takes.
    """

    def __init__(self, layer: Layer | None, inputs: tuple[Tensor, ...]):
        self.layer = layer
        self.inputs = inputs


class Input(Tensor):
    """Images of a shape, (height, width, channels): the first entry of a Sequential, or the input
    of a Model."""

    def __init__(self, shape: Sequence[int]):
        super().__init__(None, ())
        self.shape = tuple(int(size) for size in shape)


class Layer:
    """Base of all layers. `settings` are those that differ from none."""

    def __init__(self, name: str | None, input_shape: Sequence[int] | None = None, **settings: Any):
        self.name = name
        self.kernel_initializer = initializers.DEFAULT
        self.input_shape = None if input_shape is None else tuple(input_shape)
        self._settings = {key: value for key, value in settings.items() if value is not None}

    def __call__(self, inputs: Tensor | Sequence[Tensor]) -> Tensor:
        """Lets the layer take what others gave, in a graph: one tensor, or several to merge."""
        given = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        if not all(isinstance(each, Tensor) for each in given):
            raise UserError(
                f"[model] {self!r} is called with what is no tensor: call it with an Input, or "
                "with what another layer gave"
            )
        return Tensor(self, tuple(given))

    def __repr__(self) -> str:
        listed = ", ".join(f"{key}={value!r}" for key, value in self._settings.items())
        return f"{type(self).__name__}({listed})"

    def declaration(self, name: str) -> dict[str, Any]:
        """The layer as in the declaration of a model file."""
        return {"class_name": type(self).__name__, "name": name, **self._settings}


def keras_names(layers: Sequence[Layer]) -> list[str]:
    """Returns the names of layers, or Keras's: Conv2D becomes conv2d, the second conv2d_1."""
    counts: dict[str, int] = {}
    names = []
    for layer in layers:
        base = re.sub(r"(?<!^)([A-Z])(?=[a-z])", r"_\1", type(layer).__name__).lower()
        number = counts.get(base, 0)
        counts[base] = number + 1
        names.append(layer.name or (base if number == 0 else f"{base}_{number}"))
    return names


class Conv2D(Layer):
    """A convolution: (height, width, channels) becomes (height, width, filters)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = (1, 1),
        padding: str = "valid",
        activation: str | None = None,
        use_bias: bool = True,
        kernel_initializer: str = initializers.DEFAULT,
        *,
        name: str | None = None,
        input_shape: Sequence[int] | None = None,
    ):
        super().__init__(
            name,
            input_shape,
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            activation=activation or "linear",
            use_bias=use_bias,
        )
        self.kernel_initializer = initializers.require(kernel_initializer)


class DepthwiseConv2D(Layer):
    """A convolution of each channel by itself."""

    def __init__(
        self,
        kernel_size: Size,
        strides: Size = (1, 1),
        padding: str = "valid",
        activation: str | None = None,
        use_bias: bool = True,
        kernel_initializer: str = initializers.DEFAULT,
        *,
        name: str | None = None,
    ):
        super().__init__(
            name,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            activation=activation or "linear",
            use_bias=use_bias,
        )
        self.kernel_initializer = initializers.require(kernel_initializer)


class CondConv2D(Layer):
    """A convolution of each image with its own mix of several kernels (Yang et al. 2019, arXiv
    1904.04971): it costs little more than one with a single kernel. The weights of the kernels are
    the softmax of a dense layer on the means of the input's channels.

    Args:
        filters: As of Conv2D.
        kernel_size: As of Conv2D.
        kernels: How many are mixed.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        kernels: int = 8,
        strides: Size = (1, 1),
        padding: str = "valid",
        activation: str | None = None,
        use_bias: bool = True,
        *,
        name: str | None = None,
    ):
        super().__init__(
            name,
            filters=filters,
            kernels=kernels,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            activation=activation or "linear",
            use_bias=use_bias,
        )


class _WithoutSettings(Layer):
    def __init__(self, *, name: str | None = None):
        super().__init__(name)


class _Pooling2D(Layer):
    def __init__(
        self,
        pool_size: Size = (2, 2),
        strides: Size | None = None,
        padding: str = "valid",
        *,
        name: str | None = None,
    ):
        super().__init__(name, pool_size=pool_size, strides=strides, padding=padding)


class MaxPooling2D(_Pooling2D):
    """The largest value of each window."""


class AveragePooling2D(_Pooling2D):
    """The mean of each window."""


class GlobalAveragePooling2D(_WithoutSettings):
    """The mean of all pixels: (height, width, channels) becomes (channels,)."""


class GlobalMaxPooling2D(_WithoutSettings):
    """The largest of all pixels: (height, width, channels) becomes (channels,)."""


class BatchNormalization(Layer):
    """Normalizes each channel, in training by the batch (Ioffe and Szegedy 2015)."""

    def __init__(
        self,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        *,
        name: str | None = None,
    ):
        super().__init__(name, momentum=momentum, epsilon=epsilon, center=center, scale=scale)


class Dropout(Layer):
    """In training leaves out the share `rate` of all values."""

    def __init__(self, rate: float, *, name: str | None = None):
        super().__init__(name, rate=rate)


class Flatten(Layer):
    """(height, width, channels) becomes one row."""

    def __init__(self, *, name: str | None = None, input_shape: Sequence[int] | None = None):
        super().__init__(name, input_shape)


class Dense(Layer):
    """Each of `units` values is a weighted sum of all inputs."""

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
        kernel_initializer: str = initializers.DEFAULT,
        *,
        name: str | None = None,
        input_shape: Sequence[int] | None = None,
    ):
        super().__init__(
            name,
            input_shape,
            units=units,
            activation=activation or "linear",
            use_bias=use_bias,
        )
        self.kernel_initializer = initializers.require(kernel_initializer)


class Activation(Layer):
    """An activation by itself."""

    def __init__(self, activation: str, *, name: str | None = None):
        super().__init__(name, activation=activation)


class LeakyReLU(Layer):
    """x where it is positive, and negative_slope * x elsewhere."""

    def __init__(self, negative_slope: float = 0.3, *, name: str | None = None):
        super().__init__(name, negative_slope=negative_slope)


class Normalization(Layer):
    """(x - mean) / sqrt(variance), of each channel. An image's values are from 0 to 1 before it."""

    def __init__(
        self, mean: Sequence[float], variance: Sequence[float], *, name: str | None = None
    ):
        super().__init__(
            name, mean=[float(each) for each in mean], variance=[float(each) for each in variance]
        )


class Rescaling(Layer):
    """x * scale + offset. An image's values are from 0 to 1 before it."""

    def __init__(self, scale: float, offset: float = 0.0, *, name: str | None = None):
        super().__init__(name, scale=scale, offset=offset)


class ZeroPadding2D(Layer):
    """Zeros around images: one number, (height, width) or ((top, bottom), (left, right))."""

    def __init__(
        self,
        padding: int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = (1, 1),
        *,
        name: str | None = None,
    ):
        rows, columns = (padding, padding) if isinstance(padding, int) else padding
        top, bottom = (rows, rows) if isinstance(rows, int) else rows
        left, right = (columns, columns) if isinstance(columns, int) else columns
        super().__init__(name, padding=[top, bottom, left, right])


class Add(_WithoutSettings):
    """The sum of several inputs of one shape, in a graph."""


class Multiply(_WithoutSettings):
    """The product of several inputs of one shape, in a graph."""


class Concatenate(_WithoutSettings):
    """The channels of several inputs, one behind the other, in a graph."""


class MixtureOfExperts(Layer):
    """Copies of a few layers, the experts, of which each image runs those that a gate chooses
    (Shazeer et al. 2017, arXiv 1701.06538; Fedus et al. 2021, arXiv 2101.03961). In a graph it is
    called with two tensors: the values for the experts, and the gate's logits, one for each expert.
    The output is the sum of the chosen experts' outputs, each times its softmax.

    Args:
        experts: How many there are.
        expert: The layers of each, in order.
        top_k: How many run for an image.
        normalize_weights: Whether the softmax is over the chosen experts alone.
        balance_loss: Times a loss that is 1 where all experts are used equally (Fedus et al.,
            equation 4).
        gate_loss: Times the gate's cross-entropy, where `expert_of_class` says the right expert.
        expert_of_class: For each class the number of an expert, from 0.

    Example:
        >>> import sluice
        >>> from sluice import layers
        >>> images = sluice.Input((8, 8, 3))
        >>> trunk = layers.Conv2D(4, 3, padding="same", activation="relu")(images)
        >>> gate = layers.Dense(2)(layers.GlobalAveragePooling2D()(trunk))
        >>> x = layers.MixtureOfExperts(2, [layers.Conv2D(8, 3)], balance_loss=0.01)([trunk, gate])
        >>> x = layers.GlobalAveragePooling2D()(x)
        >>> sluice.Model(images, layers.Dense(2, activation="softmax")(x)).output_shape
        (2,)
    """

    def __init__(
        self,
        experts: int,
        expert: Sequence[Layer],
        top_k: int = 1,
        normalize_weights: bool = False,
        balance_loss: float = 0.0,
        gate_loss: float = 0.0,
        expert_of_class: Sequence[int] | None = None,
        *,
        name: str | None = None,
    ):
        super().__init__(
            name,
            top_k=top_k,
            normalize_weights=normalize_weights,
            balance_loss=balance_loss,
            gate_loss=gate_loss,
            expert_of_class=None if expert_of_class is None else list(expert_of_class),
        )
        if experts < 1 or not expert:
            raise UserError("[model] a mixture of experts needs an expert with a layer")
        self.experts = experts
        self.expert = list(expert)
        for layer in self.expert:
            if layer.kernel_initializer != initializers.DEFAULT:
                raise UserError(
                    f"[model] {layer!r} is an expert's layer: its kernels begin with "
                    f'"{initializers.DEFAULT}", leave out kernel_initializer'
                )

    def declaration(self, name: str) -> dict[str, Any]:
        names = keras_names(self.expert)
        declared = [layer.declaration(each) for layer, each in zip(self.expert, names)]
        experts = [{"name": f"expert{i}", "layers": declared} for i in range(1, self.experts + 1)]
        return {**super().declaration(name), "experts": experts}
