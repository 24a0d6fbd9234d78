"""Imports models as people build them, and compares Sluice's predictions of pictures with Keras's:

  python tools/parity/imports.py build/release/bin/sluice [WORD ...]

Needs Keras 3, tf_keras, h5py and Pillow. WORD chooses the cases that have it in their name. Prints
a line for each case: the largest difference of the probabilities (at most 1e-5), or the refusal.
Ends with 1 if a case is not as it should be.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow  # noqa: E402
import tf_keras  # noqa: E402
from PIL import Image  # noqa: E402

import imports_cases  # noqa: E402

LIMIT = 1e-5
PICTURES = 8


def random_weights(model):
    """Sets weights that let every layer pass something on, but those of adapt()."""
    generator = np.random.default_rng(1)
    for variable in model.weights:
        shape = tuple(variable.shape)
        name = getattr(variable, "path", variable.name).split("/")[-1].split(":")[0]
        if name in ("mean", "variance", "count", "seed_generator_state"):
            continue
        if name == "moving_variance":
            value = generator.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:
            value = generator.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape)
        else:
            value = generator.normal(1 if name == "gamma" else 0, 0.1, shape)
        variable.assign(tensorflow.cast(value, variable.dtype))


def pictures(shape, folder):
    """Writes noise around a colour as PNG files; returns their names and pixels."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (PICTURES, *shape)) * 0.5
    pixels = (pixels + generator.integers(0, 128, (PICTURES, 1, 1, shape[-1]))).astype(np.uint8)
    files = [os.path.join(folder, f"{i}.png") for i in range(PICTURES)]
    for file, picture in zip(files, pixels):
        Image.fromarray(picture if shape[-1] == 3 else picture[:, :, 0]).save(file)
    return files, pixels


def picture_shape(shape):
    """The pictures that Sluice gives a model of this input."""
    if len(shape) == 3:
        return shape
    if len(shape) == 2:
        return (*shape, 1)
    side = round((shape[0] if round(shape[0] ** 0.5) ** 2 == shape[0] else shape[0] / 3) ** 0.5)
    return (side, side, shape[0] // side ** 2)


class Sluice:
    def __init__(self, program):
        self.program = program

    def run(self, *arguments):
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
        return subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True,
                              env=environment, check=False)

    def import_file(self, arguments, folder):
        """Returns what the import said, and whether it succeeded."""
        done = self.run("import", *arguments, "--run", os.path.join(folder, "run"))
        return done.stdout + done.stderr, done.returncode

    def predict(self, folder, files):
        """Returns the probabilities of the model in the order of the file's outputs, or a message."""
        done = self.run("predict", os.path.join(folder, "run"), *files, "--json")
        if done.returncode != 0:
            return done.stderr.strip()
        return np.array([list(json.loads(line)["probabilities"].values())
                         for line in done.stdout.splitlines()])


def save(model, file):
    if callable(getattr(model, "write", None)):
        return model.write(file)
    (model.save_weights if "weights" in file else model.save)(file)
    return [file]


def check(sluice, case, suffix, folder):
    """Returns the answer of a case, and what is wrong with it."""
    for k in (keras, tf_keras):
        k.backend.clear_session()
    model = case.build(keras if case.keras == 3 else tf_keras)
    random_weights(model)
    if case.change is not None:
        case.change(model)
    file = os.path.join(folder, "baseline" + suffix)
    arguments = save(model, file)
    if case.edit is not None:
        case.edit(file, h5py)
    said, code = sluice.import_file([*arguments, *case.options], folder)
    text = " ".join(said.split())
    wrong = [f"NOT SAID: {piece}" for piece in case.says if piece not in text]
    if case.refused:
        if code != 2:
            wrong.append(f"NOT REFUSED, exit code {code}")
        return re.sub(r"/\S*/", "", text), wrong
    if code != 0:
        return re.sub(r"/\S*/", "", text), wrong + [f"REFUSED, exit code {code}"]
    shape = picture_shape(tuple(model.input_shape[1:]))
    files, pixels = pictures(shape, folder)
    images = pixels.reshape(PICTURES, *model.input_shape[1:]).astype(np.float32)
    expected = model.predict(case.prepare(images), verbose=0)
    if isinstance(expected, dict):
        expected = next(iter(expected.values()))
    expected = case.meaning(np.asarray(expected, np.float32))
    expected = expected / expected.sum(axis=1, keepdims=True)
    if expected.std(axis=0).max() < 10 * LIMIT:
        wrong.append("ALL PICTURES ALIKE, which proves nothing")
    found = sluice.predict(folder, files)
    if isinstance(found, str):
        return found, wrong + ["NOT PREDICTED"]
    if found.shape != expected.shape:
        return f"{found.shape} for {expected.shape}", wrong + ["OTHER CLASSES"]
    difference = np.abs(found - expected).max()
    if not difference <= (case.limit or LIMIT):
        wrong.append("PREDICTIONS DIFFER")
    notes = re.findall(r"note: (?:\S*/)?(.*)", said)
    return f"{difference:.1e}" + "".join("; " + note for note in notes), wrong


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sluice = Sluice(sys.argv[1])
    tensorflow.get_logger().setLevel("ERROR")
    print(f"Keras {keras.__version__}, tf_keras {tf_keras.__version__}, limit {LIMIT:g}\n", flush=True)
    failed = count = 0
    for case in imports_cases.cases():
        if not all(word in case.name for word in sys.argv[2:]):
            continue
        for suffix in case.suffixes:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    answer, wrong = check(sluice, case, suffix, folder)
                except Exception as error:  # Keras cannot build, save or run it
                    answer, wrong = f"{type(error).__name__}: {error}"[:200], ["NO MODEL"]
            count += 1
            failed += bool(wrong)
            print(f"{case.name}, Keras {case.keras} {suffix} | {answer} | {'; '.join(wrong) or 'right'}",
                  flush=True)
    print(f"\n{count - failed} of {count} as they should be")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
