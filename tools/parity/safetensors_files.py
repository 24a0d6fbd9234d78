"""Reads and writes Sluice's model files with the Python package safetensors.

Trains a short lab on drawn images, then for every model.safetensors of the run:
- the package reads it, and finds the layers that the metadata declares;
- Keras, built from nothing but the file, predicts what `sluice predict` says;
- written again by the package, Sluice reads it and says the same.

    tools/parity/files          runs it in the right environment, with the program's path
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import keras
import numpy as np
import PIL.Image
from safetensors import safe_open
from safetensors.numpy import save_file

LAB = pathlib.Path(__file__).parents[2] / "experiments/lab.toml"
SHORT = ["data.train_images=320", "data.test_images=100", "train.epochs=1"]
PICTURES = 10


def sluice(program: str, folder: pathlib.Path, *arguments: str) -> str:
    ended = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"sluice {' '.join(arguments)}: {ended.stderr}")
    return ended.stdout


def read(file: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    with safe_open(file, framework="numpy") as opened:
        return {name: opened.get_tensor(name) for name in opened.keys()}, opened.metadata()


def network(declared: dict, tensors: dict[str, np.ndarray], prefix: str = "") -> keras.Model:
    """Builds the network from Keras's class names and arguments; adds Conv2D's padding."""
    layers = [keras.Input(declared["input_shape"])]
    for layer in declared["layers"]:
        arguments = {key: value for key, value in layer.items() if key != "class_name"}
        if layer["class_name"] == "Conv2D":
            arguments["padding"] = "same"
        layers.append(getattr(keras.layers, layer["class_name"])(**arguments))
    model = keras.Sequential(layers)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([tensors.pop(f"{prefix}{layer.name}/{kind}") for kind in ("kernel", "bias")])
    return model


def predict(tensors: dict[str, np.ndarray], metadata: dict[str, str], images: np.ndarray) -> np.ndarray:
    """Predicts from the file alone: (images, classes)."""
    declared, left = json.loads(metadata["model"]), dict(tensors)
    if "branches" not in declared:
        output = np.asarray(network(declared, left)(images))
    else:
        part = lambda model: np.asarray(network(model, left, model["name"] + "/")(images))
        baseline, gate = part(declared["baseline"]), part(declared["gate"])
        experts = np.stack([part(branch["expert"]) for branch in declared["branches"]])
        weights = np.stack([part(branch["importance"]) for branch in declared["branches"]])
        groups = gate.shape[1]
        chosen = groups - 1 - np.argmax(gate[:, ::-1], axis=1)  # the last of equal ones
        rows = np.arange(len(images))
        weights = weights[chosen, rows]
        output = baseline * weights[:, :, 0] + experts[chosen, rows] * weights[:, :, 1]
    assert not left, f"tensors that no layer has: {sorted(left)}"
    return output / output.sum(axis=1, keepdims=True)


def told(text: str, model: str) -> list[tuple[str, float]]:
    """Returns class and percentage of a model's row for each picture."""
    rows = re.findall(rf"^  {re.escape(model)} +(\S+) +([\d.]+)%", text, re.MULTILINE)
    return [(name, float(percentage)) for name, percentage in rows]


def main(program: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        settings = [word for setting in SHORT for word in ("--set", setting)]
        sluice(program, folder, "train", str(LAB), "--data", "builtin", "--run", "run", *settings)
        sluice(program, folder, "data", "sample", str(LAB), "--data", "builtin", "--count", "1")
        pictures = sorted(str(file.relative_to(folder)) for file in folder.glob("samples/*/0.png"))
        assert len(pictures) == PICTURES
        images = np.stack([np.asarray(PIL.Image.open(folder / file)) for file in pictures])
        print(f"{'file':<46} {'tensors':>8} {'worst difference':>17}")
        failed = False
        for file in sorted(folder.glob("run/*/model.safetensors")):
            tensors, metadata = read(file)
            scale = json.loads(metadata["normalization"])["scale"]
            outputs = predict(tensors, metadata, (images * np.float64(scale)).astype(np.float32))
            before = sluice(program, folder, "predict", str(file), *pictures)
            save_file(tensors, folder / "again.safetensors", metadata)
            after = sluice(program, folder, "predict", "again.safetensors", *pictures)
            model = json.loads(metadata["model"]).get("name", "mixture")
            rows, classes = told(before, model), json.loads(metadata["class_names"])
            assert len(rows) == PICTURES, before
            worst = max(abs(100 * output[classes.index(name)] - percentage)
                        for output, (name, percentage) in zip(outputs, rows))
            ok = worst <= 0.0501 and before == after  # printed with one decimal of a percent
            failed |= not ok
            place = str(file.relative_to(folder))
            print(f"{place:<46} {len(tensors):>8} {worst:>10.3f} points {'' if ok else 'WRONG'}")
        sys.exit(failed)


if __name__ == "__main__":
    main(str(pathlib.Path(sys.argv[1]).resolve()))
