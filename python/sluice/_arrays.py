"""Turns what users pass into the arrays that the engine takes, or says what is wrong with it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sluice._engine import UserError

_LARGE = 100 << 20  # bytes, from which on a copy is worth a warning


def _four_dimensions(x: Any, name: str) -> np.ndarray:
    array: Any
    try:
        array = np.asarray(x)
    except ValueError:  # images of several sizes
        array = np.empty(0, object)
    if array.dtype == object:
        raise UserError(f"[data] {name} is no array of numbers: are all images of one size?")
    if array.ndim == 3:
        array = array[..., np.newaxis]  # grey
    if array.ndim != 4:
        raise UserError(
            f"[data] {name} has the shape {array.shape}: give (images, height, width, channels)"
        )
    if 0 in array.shape:
        raise UserError(f"[data] {name} has the shape {array.shape}, so it is empty: give images")
    if array.shape[1] in (1, 3) and array.shape[3] not in (1, 3):
        raise UserError(
            f"[data] {name} has the shape {array.shape}, with channels first: give "
            f"np.moveaxis({name}, 1, -1)"
        )
    if array.dtype.kind not in "uif":
        raise UserError(f"[data] {name} has the type {array.dtype}: give uint8 or float32")
    return np.asarray(array)


def images(x: Any, name: str = "x") -> np.ndarray:
    """Returns images for the engine: bytes, which it divides by 255, or float32 values, which it
    takes as they are.

    The type of `x` alone decides: whole numbers are bytes. Arrays of uint8 and float32 in C order
    are not copied; a copy of a large one is warned of.

    Args:
        x: (images, height, width, channels), or grey ones (images, height, width).
        name: The argument's name, for errors.

    Raises:
        UserError: For another shape or type, an empty array, whole numbers that are no bytes, and
            values that are not finite.
    """
    array = _four_dimensions(x, name)
    if array.dtype == np.uint8:
        return _told(array, np.ascontiguousarray(array), name)
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind != "f":
        if low < 0 or high > 255:
            raise UserError(
                f"[data] {name} has whole numbers from {low:.0f} to {high:.0f}: give bytes, from 0 "
                "to 255, or floats"
            )
        return _told(array, array.astype(np.uint8, order="C"), name)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise UserError(f"[data] {name} has values that are NaN or infinite: replace them")
    if low >= 0 and high > 100:
        warnings.warn(
            f"{name} has floats up to {high:g}, which the network gets as they are: divide them by "
            "255, or give uint8",
            stacklevel=3,
        )
    return _told(array, np.ascontiguousarray(array, np.float32), name)


def _told(given: np.ndarray, taken: np.ndarray, name: str) -> np.ndarray:
    """Warns of a large copy; returns `taken`."""
    if given.nbytes > _LARGE and not np.may_share_memory(given, taken):
        warnings.warn(
            f"{name} has {given.nbytes >> 20} MB of {given.dtype}, of which a copy is made: give "
            "uint8 or float32 in C order",
            stacklevel=4,
        )
    return taken


def weights(given: Any, count: int) -> NDArray[np.float32]:
    """Returns the weight of each of `count` images, float32; none for None.

    Raises:
        UserError: For another number of them, or another shape.
    """
    array = np.zeros(0, np.float32) if given is None else np.asarray(given, np.float32)
    if given is not None and array.shape != (count,):
        raise UserError(
            f"[data] sample_weight has the shape {array.shape} for {count} images: give one for "
            "each"
        )
    return np.ascontiguousarray(array)


def labels(y: Any, count: int, outputs: int, name: str = "y") -> NDArray[np.int32]:
    """Returns the class of each of `count` images, int32, from class numbers or one-hot rows.

    Raises:
        UserError: For another number of them, and for what is no class of `outputs`.
    """
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind not in "uifb":
        raise UserError(
            f"[data] {name} has the type {array.dtype}: give class numbers from 0, for example by "
            "np.unique(y, return_inverse=True)[1]"
        )
    if array.ndim not in (1, 2) or len(array) != count:
        raise UserError(
            f"[data] {name} has the shape {array.shape} for {count} images: give a class number "
            "or a one-hot row for each"
        )
    if array.ndim == 2:
        if array.shape[1] != outputs:
            raise UserError(
                f"[data] {name} has one-hot rows of {array.shape[1]} classes, and the network has "
                f"{outputs} outputs: give its last layer {array.shape[1]}"
            )
        is_one_hot = np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all()
        if not is_one_hot:
            raise UserError(f"[data] {name} has rows that are not one-hot: give one 1 in each")
        return np.asarray(array.argmax(axis=1), np.int32)
    if array.dtype.kind == "f" and not (array == np.rint(array)).all():
        raise UserError(f"[data] {name} has values that are no whole numbers: give class numbers")
    if array.min() < 0 or array.max() >= outputs:
        raise UserError(
            f"[data] {name} has the classes {array.min()} to {array.max()}, and the network has "
            f"{outputs} outputs: number classes from 0, and give the last layer one output for each"
        )
    return np.asarray(array, np.int32)
