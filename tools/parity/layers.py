"""Compares every layer type of Sluice with Keras and ONNX Runtime, at inference and in training.

    layers.py DRIVER

DRIVER (build/release/tools/parity/sluice_layers_driver) writes a small model of each type, and the
networks with names. A row has the largest difference from Sluice, relative to the largest value: of
Keras's predictions (the worst of .keras and .h5), of its outputs and its state after one training
pass, of Sluice's own predictions by the file that Keras writes again, and of ONNX Runtime's.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import keras_models  # noqa: F401  first: it sets TensorFlow's environment
import keras
import numpy as np
import onnxruntime

BOUND = 1e-5
# Rounding alone sets Keras in float32 up to 7e-5 apart from Keras in float64 after the 27 small
# normalisations of this network, so its row shows the outputs of the training pass without a bound.
# The state after that pass, the statistics of each normalisation, has the bound.
UNBOUNDED_TRAINING = "mobilenet-small"
warnings.filterwarnings("ignore", message="The structure of `inputs`")  # a lone image is no list


def difference(actual, expected):
    actual, expected = np.asarray(actual).ravel(), np.asarray(expected).ravel()
    if actual.shape != expected.shape or not np.isfinite(actual).all():
        return np.inf
    return float(np.abs(actual - expected).max() / (np.abs(expected).max() or 1))


class Case:
    def __init__(self, driver, folder, number):
        self.driver, self.stem = driver, os.path.join(folder, number)

    def floats(self, suffix):
        return np.fromfile(self.stem + suffix, np.float32)

    def figures(self):
        """Yields the differences; None where there is nothing to compare."""
        models = [keras.models.load_model(self.stem + suffix, compile=False)
                  for suffix in (".keras", ".h5")]
        images = self.floats(".images").reshape(-1, *models[0].input_shape[1:])
        expected = self.floats(".predictions")
        yield max(difference(model(images, training=False), expected) for model in models)
        again = self.stem + "-again.keras"
        models[0].save(again)
        if os.path.exists(self.stem + ".training"):
            outputs = models[0](images, training=True)
            yield difference(outputs, self.floats(".training"))
            names = pathlib.Path(self.stem + ".state-names").read_text().splitlines()
            # Exported layers have names without dots.
            state = [np.ravel(getattr(models[0].get_layer(layer.replace(".", "_")), tensor))
                     for layer, tensor in map(str.split, names)]
            yield difference(np.concatenate(state), self.floats(".state")) if state else None
        else:
            yield from (None, None)
        out = self.stem + ".out"
        subprocess.run([self.driver, "predict", again, self.stem + ".images", out], check=True)
        yield difference(np.fromfile(out, np.float32), expected)
        session = onnxruntime.InferenceSession(self.stem + ".onnx",
                                               providers=["CPUExecutionProvider"])
        yield difference(session.run(None, {session.get_inputs()[0].name: images})[0], expected)


def main():
    driver = sys.argv[1]
    failed = 0
    print(f"Keras {keras.version()}, ONNX Runtime {onnxruntime.__version__}: at most {BOUND:g}\n")
    print(f"{'':36}{'Keras':>9}{'training':>9}{'state':>9}{'back':>9}{'ONNX':>8}")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([driver, "write", folder], check=True)
        numbers = sorted((path.stem for path in pathlib.Path(folder).glob("*.name")), key=int)
        for number in numbers:
            name = pathlib.Path(folder, number + ".name").read_text()
            figures = list(Case(driver, folder, number).figures())
            cells = "".join(f"{'-':>9}" if f is None else f"{f:9.1e}" for f in figures)
            bounded = [f for i, f in enumerate(figures)
                       if not (i == 1 and name == UNBOUNDED_TRAINING)]
            wrong = any(not (f is None or f <= BOUND) for f in bounded)
            failed += wrong
            name = name if len(name) <= 36 else name[:33] + "..."
            print(f"{name:36}{cells[:-9]}{cells[-8:]}{'  NO' if wrong else ''}", flush=True)
    print(f"\n{len(numbers) - failed} of {len(numbers)} models agree")
    return 0 if numbers and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
