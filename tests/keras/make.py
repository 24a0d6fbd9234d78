"""Writes the Keras files that the unit tests read. Run it with a Python that has Keras 3, and
tf_keras for what Keras 2 wrote:

  python tests/keras/make.py tests/keras

Every weight is a number that the test can compute: the i-th value of the t-th tensor (counted over
the whole model, a nested model's in the order of its layers) is t + i / 1000.
"""

import os
import sys
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tf_keras  # noqa: E402


def number(model, start=0):
    model.set_weights([(start + t + np.arange(w.size) / 1000).reshape(w.shape).astype(w.dtype)
                       for t, w in enumerate(model.get_weights())])
    return model


def tiny(k, outputs=3, **options):
    return k.Sequential([k.layers.Input((4, 4, 3)),
                         k.layers.Conv2D(2, 3, padding="same", activation="relu", name="conv1.1"),
                         k.layers.MaxPooling2D((2, 2)), k.layers.Dropout(0.25),
                         k.layers.Flatten(), k.layers.Dense(4, activation="relu"),
                         k.layers.Dense(outputs, activation="softmax")], **options)


def functional(k):
    """All layers that Sluice merges into their neighbours."""
    x = inputs = k.layers.Input((4, 4, 3))
    for layer in (k.layers.Rescaling(1 / 255), k.layers.Conv2D(2, 3, padding="same"),
                  k.layers.ReLU(), k.layers.Flatten(), k.layers.Dense(6),
                  k.layers.Activation("softmax"), k.layers.Reshape((3, -1))):
        x = layer(x)
    return k.Model(inputs, x, name="chain")


def importance(k, **options):
    return k.Sequential([k.layers.Input((4, 4, 3)), k.layers.Flatten(),
                         k.layers.Dense(4, activation="relu"), k.layers.Dropout(0.5),
                         k.layers.Dense(6, activation="softmax"), k.layers.Reshape((3, 2))],
                        **options)


def mixture(k, where, named):
    """Six nested models; part p has its tensors numbered from 10 p."""
    names = ("baseline", "gate", "expert-b", "expert-a", "importance-b", "importance-a")
    parts = [importance(k, name=name if named else None) if "importance" in name else
             tiny(k, 2 if name == "gate" else 3, name=name if named else None) for name in names]
    for p, part in enumerate(parts):
        number(part, 10 * p)
    x = k.layers.Input((4, 4, 3))
    b, g, eb, ea, ib, ia = [part(x) for part in parts]
    return k.Model(x, where(g[:, :1] > g[:, 1:], b * ib[:, :, 0] + eb * ib[:, :, 1],
                            b * ia[:, :, 0] + ea * ia[:, :, 1]), name="both")


def nested(k):
    """Two models with equal layer names in one chain; one layer of the first is frozen."""
    features = k.Sequential([k.layers.Input((4, 4, 3)),
                             k.layers.Conv2D(3, 3, padding="same", name="one"),
                             k.layers.Conv2D(3, 3, padding="same", activation="relu", name="two")],
                            name="features")
    head = k.Sequential([k.layers.Input((4, 4, 3)), k.layers.Flatten(name="flatten"),
                         k.layers.Dense(3, activation="softmax", name="two")], name="head")
    model = k.Sequential([k.layers.Input((4, 4, 3)), features, head], name="nested")
    for t, layer in enumerate((*features.layers, head.layers[-1])):
        number(layer, 2 * t)
    features.layers[0].trainable = False
    return model


def adapted(k):
    """A Normalization whose mean and variance are weights: 100, 101, 102 and 4, 9, 16."""
    norm = k.layers.Normalization()
    model = k.Sequential([k.layers.Input((4, 4, 3)), norm, k.layers.Flatten(),
                          k.layers.Dense(3, activation="softmax")])
    number(model.layers[-1])
    norm.set_weights([np.array([100, 101, 102], "f4"), np.array([4, 9, 16], "f4"),
                      norm.get_weights()[2]])
    norm.finalize_state()
    return model


def arithmetic(k):
    """Operations in place of layers: x / 255, a sum and a product."""
    x = inputs = k.layers.Input((4, 4, 3))
    x = x / 255.0
    y = k.layers.Conv2D(3, 1, padding="same", name="one")(x)
    y = k.layers.Flatten()((x + y) * 2.0)
    return number(k.Model(inputs, k.layers.Dense(3, name="two")(y), name="arithmetic"))


def bfloat16(k):
    x = inputs = k.layers.Input((4, 4, 3))
    for layer in (k.layers.Flatten(), k.layers.Dense(3, activation="softmax")):
        x = layer(x)
    model = k.Model(inputs, {"probabilities": x}, name="half")
    return number(model)


def split_names(file):
    """Splits a list as Keras splits those above 64 KiB, with strings of fixed length."""
    file.attrs["layer_names0"] = np.array([b"flatten", b"first"])
    file.attrs["layer_names1"] = np.array([b"second"])
    file.create_group("flatten").attrs["weight_names"] = np.zeros(0)
    for t, (name, shape) in enumerate((("first", (48, 512)), ("second", (512, 6)))):
        group = file.create_group(name)
        group.attrs["weight_names"] = np.array([f"{name}/kernel:0".encode(),
                                                f"{name}/bias:0".encode()])
        # Equal values and compression keep the file small.
        group.create_dataset(f"{name}/kernel:0", data=np.full(shape, t, "f4"), shuffle=True,
                             compression="gzip", chunks=shape)
        group.create_dataset(f"{name}/bias:0", data=np.full(shape[1], t + 0.5, "f4"))


def packed(path):
    """Compresses the members to a tenth of the size."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in members.items():
            new.writestr(name, data)


def main():
    import tensorflow

    def path(name):
        return os.path.join(sys.argv[1], name)

    model = number(tiny(keras))
    model.save(path("tiny.keras"))
    model.save(path("tiny.h5"))
    model.compile("adam", "categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    model.save(path("trained.keras"))
    number(functional(keras)).save(path("chain.keras"))
    mixture(keras, keras.ops.where, True).save(path("mixture.keras"))
    mixture(keras, keras.ops.where, False).save(path("mixture-unnamed.keras"))
    mixture(tf_keras, tensorflow.where, True).save(path("mixture-keras2.h5"))
    mixture(tf_keras, tensorflow.where, True).save(path("mixture-keras2.keras"))
    for suffix in (".keras", ".h5"):
        nested(keras).save(path("nested" + suffix))
    nested(tf_keras).save(path("nested-keras2.h5"))
    for suffix in (".keras", ".h5"):
        adapted(keras).save(path("adapted" + suffix))
        arithmetic(keras).save(path("arithmetic" + suffix))
    arithmetic(tf_keras).save(path("arithmetic-keras2.h5"))
    keras.config.set_dtype_policy("bfloat16")
    bfloat16(keras).save(path("bfloat16.keras"))
    keras.config.set_dtype_policy("float32")
    with h5py.File(path("split-names.h5"), "w") as file:
        split_names(file)
    for name in ("adapted", "arithmetic", "trained", "chain", "mixture", "mixture-unnamed", "mixture-keras2", "nested",
                 "bfloat16"):
        packed(path(name + ".keras"))


if __name__ == "__main__":
    main()
