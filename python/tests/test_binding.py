"""The module itself, past the checks of the package: whatever it gets, it does not crash."""

import itertools
import json

import numpy as np
import pytest

from sluice import _engine

DECLARATION = {
    "name": "net",
    "input_shape": [4, 4, 1],
    "layers": [
        {"class_name": "Flatten", "name": "flatten"},
        {"class_name": "Dense", "name": "dense", "units": 2, "activation": "softmax"},
    ],
}
OPTIONS = {
    "optimizer": {"name": "sgd", "learning_rate": 0.1},
    "label_smoothing": 0.0,
    "epochs": 1,
    "batch_size": 4,
    "seed": 0,
    "stage": 0,
    "class_weight": [1.0, 1.0],
    "every_step": False,
}
REFUSALS = (TypeError, ValueError, RuntimeError, OverflowError, IndexError)


def network():
    return _engine.Network.declared(json.dumps(DECLARATION), 0)


def fit(images, labels, weights=(), validation=None, options=OPTIONS, on_epoch=None, on_step=None):
    none = np.zeros((0, 4, 4, 1), np.uint8), np.zeros(0, np.int32)
    network().fit(
        images,
        labels,
        np.asarray(weights, np.float32),
        *(validation or none),
        json.dumps(options),
        on_epoch or (lambda *_: True),
        on_step or (lambda *_: None),
    )


def odd_arrays():
    shapes = [(), (0,), (5,), (3, 4), (0, 4, 4, 1), (3, 4, 4, 1), (3, 4, 1, 4), (2, 0, 4, 1)]
    shapes += [(1, 1 << 20, 1 << 10, 0), (3, 4, 4, 2), (1, 1, 1, 1), (3, 4, 4, 1, 1)]
    kinds = [
        np.uint8,
        np.int8,
        np.float16,
        np.float32,
        np.float64,
        np.complex64,
        bool,
        "U3",
        object,
    ]
    for shape, kind in itertools.product(shapes, kinds):
        yield np.zeros(shape, kind)
    whole = np.zeros((6, 8, 8, 2), np.float32)
    yield whole[::2, ::2, ::2, :1]
    yield whole[::-1, :4, :4, :1]
    yield np.asfortranarray(whole[:3, :4, :4, :1])
    yield np.broadcast_to(np.float32(0), (1 << 30, 4, 4, 1))[:3]
    yield np.frombuffer(b"\0" * 65, np.uint8)[1:].view(np.float32).reshape(1, 4, 4, 1)
    read_only = np.zeros((3, 4, 4, 1), np.uint8)
    read_only.flags.writeable = False
    yield read_only
    yield np.full((3, 4, 4, 1), np.nan, np.float32)
    yield from (None, [], [[[[0.0]]]], "images", 7, object())


def test_odd_images():
    labels = np.array([0, 1, 0], np.int32)
    predicted = fitted = 0
    for array in odd_arrays():
        try:
            outputs = network().predict(array, 2)
            predicted += 1
            assert outputs.shape == (len(array), 2)
        except REFUSALS:
            pass
        try:
            fit(array, labels)
            fitted += 1
        except REFUSALS:
            pass
    assert predicted >= 5 and fitted >= 3


@pytest.mark.parametrize("labels", [[0, 1, 2], [0, -1, 0], [0, 1], [], [2**31 - 1, 0, 0]])
def test_odd_labels(labels):
    with pytest.raises(_engine.UserError):
        fit(np.zeros((3, 4, 4, 1), np.uint8), np.array(labels, np.int32))


@pytest.mark.parametrize("weights", [[1], [1, 1, -1], [1, 1, np.nan], [1, 1, np.inf], [1] * 4])
def test_odd_weights(weights):
    with pytest.raises(_engine.UserError, match="weights of images"):
        fit(np.zeros((3, 4, 4, 1), np.uint8), np.zeros(3, np.int32), weights)


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"epochs": -1},
        {"batch_size": 0},
        {"batch_size": 1 << 40},
        {"optimizer": {}},
        {"optimizer": {"name": "sgd", "learning_rate": -1}},
        {"optimizer": {"name": "sgd", "learning_rate": "fast"}},
        {"label_smoothing": 2},
        {"class_weight": [1] * 3},
        {"class_weight": [-1, 1]},
        {"class_weight": None},
    ],
)
def test_odd_options(change):
    with pytest.raises(REFUSALS):
        fit(np.zeros((3, 4, 4, 1), np.uint8), np.zeros(3, np.int32), options={**OPTIONS, **change})


def test_odd_declarations():
    for text in (
        "",
        "{}",
        "[]",
        "null",
        '{"name": 1}',
        "{" * 100_000,
        json.dumps(DECLARATION)[:-1],
    ):
        with pytest.raises(REFUSALS):
            _engine.Network.declared(text, 0)


def test_callbacks_that_fail_or_answer_nonsense():
    images, labels = np.zeros((3, 4, 4, 1), np.uint8), np.zeros(3, np.int32)

    def fails(*_):
        raise KeyError("mine")

    for hook in ("on_epoch", "on_step"):
        with pytest.raises(KeyError, match="mine"):
            fit(images, labels, **{hook: fails})
    with pytest.raises(REFUSALS):
        fit(images, labels, on_epoch=lambda *_: "maybe")


def test_odd_tensors():
    net = network()
    for number, array in itertools.product((0, 1, 2, 1 << 40), odd_arrays()):
        with pytest.raises(REFUSALS):
            net.set_tensor(number, array)
    with pytest.raises(REFUSALS):
        net.tensor(2)
    with pytest.raises(REFUSALS):
        net.tensor(-1)
    assert np.isfinite(net.predict(np.zeros((1, 4, 4, 1), np.uint8), 1)).all()
