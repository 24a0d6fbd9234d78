"""Compares Sluice's Keras files in real Keras, and Keras's files in Sluice. Run it with a Python
that has Keras 3 and TensorFlow; with tf_keras, Keras 2's files are compared too:

  cmake --build --preset release --target sluice_files_driver && \\
  python tools/parity/keras_files.py build/release/tools/parity/sluice_files_driver

Prints a line a file: the largest difference of predictions (at most 1e-5), for those of Sluice's
also the number of weights and how many images the gate sends to each group. Ends with 1 if anything differs.
"""

import os
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import logging  # noqa: E402
import warnings  # noqa: E402

import absl.logging  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

try:
    import tf_keras
except ImportError:
    tf_keras = None

absl.logging.set_verbosity(absl.logging.ERROR)
logging.getLogger("tensorflow").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")
LIMIT = 1e-5
PARAMETERS = {"cnn-small": 2168362, "cnn-large": 1341226, "gate": 2164258, "importance": 1583636,
              "mixture-2": 11836616}
EXPORTED = ("cnn-small", "cnn-large", "gate", "importance", "cascade", "experts",
            "experts-normalized", "experts-biased", "experts-biased-normalized", "mixture-2",
            "mixture-3", "mixture-4", "mixture-tied")
failures = 0


def line(what, difference, notes=(), wrong=()):
    global failures
    bad = list(wrong) + ([] if difference <= LIMIT else ["PREDICTIONS DIFFER"])
    failures += bool(bad)
    text = f"{what:44} {difference:7.1e}  {', '.join(bad or notes)}"
    print(text[:80], flush=True)


def difference(a, b):
    if a.shape != b.shape:
        return float("inf")
    worst = np.abs(a - b).max()
    return float("inf") if np.isnan(worst) else worst


class Driver:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def run(self, *arguments):
        return subprocess.run([self.program, *arguments], capture_output=True, text=True)

    def predict(self, file, images, parts=()):
        """Returns Sluice's predictions, or its error message."""
        out = os.path.join(self.folder, "out")
        images.astype(np.float32).tofile(os.path.join(self.folder, "some"))
        done = self.run("predict", file, os.path.join(self.folder, "some"), out, *parts)
        if done.returncode != 0:
            return done.stderr.strip() or f"ended with {done.returncode}"
        return np.fromfile(out, np.float32)


# Models as notebooks build them.


def stack(k, size, classes, named=False, split=False):
    """Layers of the lab's CNN. `split` makes activations separate layers."""
    def name(text):
        return {"name": text} if named else {}

    layers = []
    for block in range(3 if size == "large" else 2):
        for half in range(2):
            options = name(f"conv{block + 1}.{half + 1}")
            layers.append(k.layers.Conv2D(32 << block, (3, 3), padding="same",
                                          activation=None if split else "relu", **options))
            if split:
                layers.append(k.layers.ReLU() if half else k.layers.Activation("relu"))
        layers += [k.layers.MaxPooling2D((2, 2)), k.layers.Dropout(0.25)]
    layers += [k.layers.Flatten(), k.layers.Dense(512, activation="relu", **name("dense1")),
               k.layers.Dropout(0.5)]
    if split:
        return layers + [k.layers.Dense(classes), k.layers.Softmax()]
    return layers + [k.layers.Dense(classes, activation="softmax", **name("output"))]


def nested_stack(k):
    """Returns the layers of stack() in nested models."""
    layers = stack(k, "small", 10)
    return [k.Sequential(part, name=name)
            for name, part in (("features", layers[:8]), ("head", layers[8:]))]


def importance_stack(k, classes=10):
    return [k.layers.Flatten(), k.layers.Dense(512, activation="relu"), k.layers.Dropout(0.5),
            k.layers.Dense(2 * classes, activation="softmax"), k.layers.Reshape((classes, 2))]


def sequential(k, layers, **options):
    return k.Sequential([k.layers.Input((32, 32, 3)), *layers], **options)


def functional(k, layers):
    x = inputs = k.layers.Input((32, 32, 3))
    for layer in layers:
        x = layer(x)
    return k.Model(inputs, x)


def without_input(k, layers):
    model = k.Sequential(layers)
    model.build((None, 32, 32, 3))
    return model


def input_shape(k, layers):
    kept = ("filters", "kernel_size", "padding", "activation")
    config = {key: value for key, value in layers[0].get_config().items() if key in kept}
    return k.Sequential([k.layers.Conv2D(**config, input_shape=(32, 32, 3)), *layers[1:]])


def random_weights(model, seed, sharpen=1.0):
    """Sets large weights, and biases other than zero, so that mistakes are visible."""
    generator = np.random.default_rng(seed)
    model.set_weights([
        generator.normal(0, (2 / max(1, np.prod(w.shape[:-1]))) ** 0.5 if w.ndim > 1 else 0.05,
                         w.shape).astype(w.dtype) if w.dtype == np.float32 else w
        for w in model.get_weights()])
    if sharpen != 1:
        weights = model.get_weights()
        weights[-2] = weights[-2] * sharpen
        weights[-1] = weights[-1] * 0
        model.set_weights(weights)
    return model


def part_models(k, named):
    def model(layers, name):
        return sequential(k, layers, **({"name": name} if named else {}))

    parts = {"baseline": model(stack(k, "large", 10), "baseline"),
             "gate": model(stack(k, "large", 2), "gate"),
             "expert-zoo": model(stack(k, "large", 10), "expert-zoo"),
             "expert-art": model(stack(k, "large", 10), "expert-art"),
             "importance-zoo": model(importance_stack(k), "importance-zoo"),
             "importance-art": model(importance_stack(k), "importance-art")}
    for seed, (name, part) in enumerate(parts.items()):
        random_weights(part, seed)
    return parts


def sub_gate(baseline, expert, importance):
    return baseline * importance[:, :, 0] + expert * importance[:, :, 1]


def choose(where, gate, parts):
    """Selects by the gate: output 0 is art, 1 is zoo; a tie chooses zoo."""
    return where(gate[:, 0:1] > gate[:, 1:2], parts[0], parts[1])


def outputs(parts, x):
    baseline = parts["baseline"](x)
    return (parts["gate"](x),
            [sub_gate(baseline, parts[f"expert-{g}"](x), parts[f"importance-{g}"](x))
             for g in ("art", "zoo")])


def where_of(k):
    if k is keras:
        return keras.ops.where
    import tensorflow
    return tensorflow.where


def mixture_where(k, parts):
    x = k.layers.Input((32, 32, 3))
    gate, sub_gates = outputs(parts, x)
    return k.Model(x, choose(where_of(k), gate, sub_gates))


def mixture_lambda(k, parts):
    x = k.layers.Input((32, 32, 3))
    baseline, gate = parts["baseline"](x), parts["gate"](x)
    sub_gates = [
        k.layers.Lambda(lambda p: sub_gate(*p), output_shape=(10,))(
            [baseline, parts[f"expert-{g}"](x), parts[f"importance-{g}"](x)])
        for g in ("art", "zoo")]
    where = where_of(k)
    merge = k.layers.Lambda(lambda p: choose(where, p[0], p[1:]), output_shape=(10,))
    return k.Model(x, merge([gate, *sub_gates]))


def mixture_subclass(k, parts):
    where = where_of(k)

    class Mixture(k.Model):
        def __init__(self, **options):
            super().__init__(**options)
            self.base, self.gating = parts["baseline"], parts["gate"]
            self.experts = [parts["expert-art"], parts["expert-zoo"]]
            self.importances = [parts["importance-art"], parts["importance-zoo"]]

        def call(self, x):
            gate, sub_gates = outputs(parts, x)
            return choose(where, gate, sub_gates)

    model = Mixture()
    model(np.zeros((1, 32, 32, 3), np.float32))
    return model


def check_legacy(driver, images):
    print("\nwritten by Sluice for Keras 2, opened by Keras 2 (tf_keras) and, but for mixtures, 3\n")
    for name in EXPORTED:
        file = os.path.join(driver.folder, name + ".h5")
        theirs = np.fromfile(os.path.join(driver.folder, name + ".predictions"), np.float32)
        # Keras 3 numbers the calls of nested models differently.
        for k in filter(None, (tf_keras, None if name.startswith("mixture") else keras)):
            model = k.models.load_model(file, compile=False)
            line(f"{name} {k.__name__}", difference(model.predict(images, verbose=0).ravel(), theirs))


def check_export(driver, images):
    print("\nwritten by Sluice, opened by Keras\n")
    images.tofile(os.path.join(driver.folder, "images"))
    done = driver.run("export", driver.folder)
    if done.returncode != 0:
        sys.exit(done.stderr)
    for name in EXPORTED:
        file = os.path.join(driver.folder, name + ".keras")
        model = keras.saving.load_model(file)
        mine = model.predict(images, verbose=0)
        theirs = np.fromfile(os.path.join(driver.folder, name + ".predictions"), np.float32)
        notes, wrong = [f"{model.count_params():,} weights"], []
        if model.count_params() != PARAMETERS.get(name, model.count_params()):
            wrong.append("PARAMETERS")
        if name.startswith("mixture"):
            gate = model.get_layer("gate").predict(images, verbose=0)
            last = gate.shape[1] - 1 - gate[:, ::-1].argmax(axis=1)
            notes.append("/".join(str((last == g).sum()) for g in range(gate.shape[1])))
            if name != "mixture-tied" and len(set(last)) != gate.shape[1]:
                wrong.append("A GROUP HAS NO IMAGE")
        for suffix in (".keras", ".h5"):
            again = os.path.join(driver.folder, "again" + suffix)
            model.save(again)
            if driver.run("same", file, again).returncode != 0:
                wrong.append(f"NOT THE SAME AGAIN AS {suffix}")
        line(name, difference(mine.ravel(), theirs), notes, wrong)


def check_import(driver, what, model, images, formats, parts=(), scale=1):
    expected = np.asarray(model.predict(images * scale, verbose=0)).ravel()
    for suffix in formats:
        file = os.path.join(driver.folder, "theirs" + suffix)
        (model.save_weights if "weights" in suffix else model.save)(file)
        found = driver.predict(file, images, parts)
        os.remove(file)
        if isinstance(found, str):
            line(f"{what} {suffix}", 0, wrong=["REFUSED"])
            print("   ", found, flush=True)
        else:
            line(f"{what} {suffix}", difference(expected, found))


def check_lab_models(driver, images, k, formats):
    for size in ("small", "large"):
        for how, build in (("default names", sequential), ("functional", functional),
                           ("input_shape", input_shape), ("no input layer", without_input)):
            if size == "large" and how != "functional":
                continue
            model = random_weights(build(k, stack(k, size, 10)), 1)
            check_import(driver, f"CNN {size}, {how}", model, images, formats)
    model = random_weights(sequential(k, stack(k, "small", 10, named=True)), 2)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.train_on_batch(images, np.eye(10)[np.arange(len(images)) % 10])
    check_import(driver, "CNN small, lab's names, trained", model, images, formats)
    model = random_weights(sequential(k, stack(k, "small", 10, split=True)), 3)
    check_import(driver, "CNN small, activations as layers", model, images, formats)
    model = sequential(k, [k.layers.Rescaling(1 / 255), *stack(k, "small", 2)])
    check_import(driver, "gate, Rescaling(1/255)", random_weights(model, 4), images, formats,
                 scale=255)
    model = sequential(k, nested_stack(k))
    model.get_layer("features").layers[0].trainable = False
    check_import(driver, "CNN small, in nested models", random_weights(model, 6), images,
                 [f for f in formats if "weights" not in f])
    model = random_weights(sequential(k, importance_stack(k)), 5)
    check_import(driver, "importance model", model, images, formats)


def check_mixtures(driver, images, k, formats):
    for named in (True, False):
        for how, build in (("where", mixture_where), ("Lambda", mixture_lambda),
                           ("subclass", mixture_subclass)):
            models = part_models(k, named)
            # Both groups must have images, and no image may be near a tie.
            random_weights(models["gate"], 10, sharpen=3)
            options = ["groups=art,zoo"] + ([] if named else [
                f"{part}={model.name}" for part, model in models.items()])
            mixture = build(k, models)
            chosen = models["gate"].predict(images, verbose=0).argmax(axis=1)
            if len(set(chosen)) < 2:
                line(f"mixture by {how}", 0, wrong=["A GROUP HAS NO IMAGE"])
            can = [f for f in formats if k is keras or how != "subclass" or "weights" in f]
            check_import(driver, f"mixture by {how}{'' if named else ', unnamed'}", mixture, images,
                         can, options)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    generator = np.random.default_rng(0)
    images = generator.random((32, 32, 32, 3), dtype=np.float32)
    # Different colours and contrasts, so that gates separate the images.
    images = images * generator.random((32, 1, 1, 1), dtype=np.float32)
    images = np.clip(images + generator.normal(0, 0.5, (32, 1, 1, 3)), 0, 1).astype(np.float32)
    print(f"Keras {keras.version()}, backend {keras.backend.backend()}, "
          f"tf_keras {tf_keras.__version__ if tf_keras else 'none'}: {len(images)} images, "
          f"limit {LIMIT:g}")
    with tempfile.TemporaryDirectory() as folder:
        driver = Driver(sys.argv[1], folder)
        check_export(driver, images)
        check_legacy(driver, images)
        print("\nwritten by Keras 3, read by Sluice\n")
        check_lab_models(driver, images, keras, (".keras", ".weights.h5", ".h5"))
        check_mixtures(driver, images, keras, (".keras", ".weights.h5", ".h5"))
        if tf_keras:
            print("\nwritten by Keras 2 (tf_keras), read by Sluice\n")
            check_lab_models(driver, images, tf_keras, (".keras", "-weights.h5", ".h5"))
            check_mixtures(driver, images, tf_keras, (".keras", "-weights.h5", ".h5"))
    print(f"\n{failures} failures" if failures else "\nall the same")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
