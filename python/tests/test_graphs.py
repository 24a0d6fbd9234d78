import pickle

import numpy as np
import pytest
from conftest import colours

import sluice
from sluice import layers


def residual(seed=0):
    images = sluice.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(images)
    y = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = layers.Add()([x, y])
    mean, largest = layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)
    x = layers.Concatenate()([mean, largest])
    return sluice.Model(images, layers.Dense(3, "softmax")(x), seed=seed)


def test_a_graph_learns():
    model = residual()
    model.compile(sluice.optimizers.Adam(0.01))
    model.fit(*colours(240), epochs=10, verbose=0)
    assert model.evaluate(*colours(60, 1), verbose=0)[1] > 0.9
    names = [layer.name for layer in model.layers]
    assert names.index("add") > max(names.index("conv2d"), names.index("conv2d_1"))
    assert names[-1] == "dense"


def experts(**settings):
    images = sluice.Input((8, 8, 3))
    trunk = layers.CondConv2D(8, 3, kernels=4, padding="same", activation="relu")(images)
    gate = layers.Dense(3)(layers.GlobalAveragePooling2D()(trunk))
    expert = [layers.Conv2D(8, 3, padding="same"), layers.Activation("relu")]
    x = layers.MixtureOfExperts(3, expert, **settings)([trunk, gate])
    x = layers.GlobalMaxPooling2D()(x)
    return sluice.Model(images, layers.Dense(3, "softmax")(x))


def test_a_graph_with_experts_learns():
    model = experts(top_k=2, balance_loss=0.01)
    model.compile(sluice.optimizers.Adam(0.01))
    model.fit(*colours(240), epochs=10, verbose=0)
    assert model.evaluate(*colours(60, 1), verbose=0)[1] > 0.9


def test_mistakes_with_experts_are_told():
    with pytest.raises(sluice.UserError, match="needs an expert with a layer"):
        layers.MixtureOfExperts(2, [])
    with pytest.raises(sluice.UserError, match="top_k"):
        experts(top_k=4)
    with pytest.raises(sluice.UserError, match="leave out kernel_initializer"):
        layers.MixtureOfExperts(2, [layers.Conv2D(8, 3, kernel_initializer="he_normal")])


def test_it_computes_what_it_says():
    images = sluice.Input((2, 2, 1))
    doubled = layers.Add()([images, images])
    squared = layers.Multiply()([images, images])
    both = layers.Concatenate()([doubled, squared])
    model = sluice.Model(images, layers.Flatten()(both))
    x = np.array([1.0, 2.0, 3.0, 5.0], np.float32).reshape(1, 2, 2, 1)
    assert model.predict(x).tolist() == [[2, 1, 4, 4, 6, 9, 10, 25]]


def test_a_chain_is_the_same_as_a_sequential():
    images = sluice.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(images)
    x = layers.GlobalAveragePooling2D()(x)
    graph = sluice.Model(images, layers.Dense(3, "softmax")(x), seed=3)
    chain = sluice.Sequential(
        [
            sluice.Input((8, 8, 3)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, "softmax"),
        ],
        seed=3,
    )
    x, _ = colours(5)
    assert (graph.predict(x) == chain.predict(x)).all()


def test_it_is_saved_opened_and_pickled(tmp_path):
    model, (x, _) = residual(), colours(5)
    model.save(tmp_path / "model.safetensors")
    for copy in (
        sluice.load_model(tmp_path / "model.safetensors"),
        pickle.loads(pickle.dumps(model)),
    ):
        assert (copy.predict(x) == model.predict(x)).all()


def test_mistakes_are_told():
    images, other = sluice.Input((8, 8, 3)), sluice.Input((8, 8, 3))
    dense = layers.Dense(3)
    flat = layers.Flatten()(images)
    with pytest.raises(sluice.UserError, match="Dense.* is called twice: make a second layer"):
        sluice.Model(images, layers.Add()([dense(flat), dense(flat)]))
    with pytest.raises(sluice.UserError, match="another Input: there is one"):
        sluice.Model(images, layers.Flatten()(other))
    with pytest.raises(sluice.UserError, match="called with what is no tensor"):
        dense(np.zeros((1, 8, 8, 3)))
    with pytest.raises(sluice.UserError, match="outputs must be what a layer gave"):
        sluice.Model(images, images)
    with pytest.raises(sluice.UserError, match="inputs must be one sluice.Input"):
        sluice.Model([images], flat)
    with pytest.raises(sluice.UserError, match="add"):
        sluice.Model(images, layers.Add()([images, flat]))
