"""Layers of a network, with the names, arguments and defaults of keras.layers.

A layer is a declaration: it has no weights before a Sequential has its input's shape. Shapes are
(height, width, channels).
"""

from __future__ import annotations

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
