"""The lab in real Keras as in a notebook: the same data, models and recipe as `sluice train
experiments/lab.toml`, with Keras's own random numbers. Writes the final test accuracies.

    lab_keras.py --data DIR --seed N --out FILE.json [--epochs N]
"""

import argparse
import json
import os
import random
import time
import tomllib
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
from keras import layers, ops

ROOT = Path(__file__).resolve().parents[2]
INPUT = (32, 32, 3)


def read_cifar(path: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads images (count, 32, 32, 3) in [0, 1] and labels of one file of CIFAR-10."""
    records = np.fromfile(path, np.uint8).reshape(-1, 1 + 3072)[:count]
    planes = records[:, 1:].reshape(-1, 3, 32, 32)
    return planes.transpose(0, 2, 3, 1).astype("float32") / 255, records[:, 0].astype(int)


def cnn(outputs: int, name: str) -> keras.Model:
    conv = dict(kernel_size=3, padding="same", activation="relu")
    return keras.Sequential([
        keras.Input(INPUT),
        layers.Conv2D(32, **conv), layers.Conv2D(32, **conv),
        layers.MaxPooling2D(), layers.Dropout(0.25),
        layers.Conv2D(64, **conv), layers.Conv2D(64, **conv),
        layers.MaxPooling2D(), layers.Dropout(0.25),
        layers.Flatten(), layers.Dense(512, activation="relu"), layers.Dropout(0.5),
        layers.Dense(outputs, activation="softmax"),
    ], name=name)


def importance_model(classes: int, name: str) -> keras.Model:
    return keras.Sequential([
        keras.Input(INPUT), layers.Flatten(), layers.Dense(512, activation="relu"),
        layers.Dropout(0.5), layers.Dense(2 * classes, activation="softmax"),
        layers.Reshape((classes, 2)),
    ], name=name)


def copy_of(model: keras.Model) -> keras.Model:
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def mixture(baseline: keras.Model, gate: keras.Model, experts: list[keras.Model],
            classes: int) -> keras.Model:
    """Builds the dense form: every part runs for every image, tf.where selects."""
    image = keras.Input(INPUT)
    base, chosen = baseline(image), gate(image)
    sub_gates = []
    for group, expert in enumerate(experts):
        weight = importance_model(classes, f"importance-{group}")(image)
        sub_gates.append(base * weight[:, :, 0] + expert(image) * weight[:, :, 1])
    first = chosen[:, 0:1] > chosen[:, 1:2]
    return keras.Model(image, ops.where(first, sub_gates[0], sub_gates[1]), name="mixture")


def read_recipe(epochs: int | None = None) -> dict:
    """Reads lab.toml's recipe, with another number of epochs for every stage if given."""
    recipe = tomllib.loads((ROOT / "experiments/lab.toml").read_text())
    if epochs:
        recipe["train"]["epochs"] = dict.fromkeys(recipe["train"]["epochs"], epochs)
    return recipe


class Lab:
    def __init__(self, data: Path, recipe: dict):
        self.recipe = recipe["train"]
        names = (data / "batches.meta.txt").read_text().split()
        self.classes = len(names)
        self.members = [[names.index(name) for name in group["classes"]]
                        for group in recipe["groups"]]
        self.train = read_cifar(data / "data_batch_1.bin", recipe["data"]["train_images"])
        self.test = read_cifar(data / "test_batch.bin", recipe["data"]["test_images"])
        self.stages: dict[str, dict] = {}

    def fit(self, stage: str, model: keras.Model, train, test, epochs: int) -> keras.Model:
        model.compile(optimizer=keras.optimizers.Adam(self.recipe["learning_rate"]),
                      loss="categorical_crossentropy", metrics=["accuracy"])
        one_hot = lambda labels: keras.utils.to_categorical(labels, model.output_shape[-1])
        start = time.perf_counter()
        history = model.fit(train[0], one_hot(train[1]), batch_size=self.recipe["batch_size"],
                            epochs=epochs, verbose=2,
                            validation_data=(test[0], one_hot(test[1]))).history
        self.stages[stage] = {"accuracy": history["val_accuracy"][-1],
                              "loss": history["val_loss"][-1], "test_images": len(test[1]),
                              "epochs": epochs, "seconds": time.perf_counter() - start}
        print(stage, self.stages[stage], flush=True)
        return model

    def of_group(self, examples, group: int):
        rows = np.isin(examples[1], self.members[group])
        return examples[0][rows], examples[1][rows]

    def by_group(self, examples):
        return examples[0], np.isin(examples[1], self.members[1]).astype(int)

    def run(self) -> None:
        epochs = self.recipe["epochs"]
        baseline = self.fit("baseline", cnn(self.classes, "baseline"), self.train, self.test,
                            epochs["baseline"])
        experts = [self.fit(f"expert-{group}", cnn(self.classes, f"expert-{group}"),
                            self.of_group(self.train, group), self.of_group(self.test, group),
                            epochs["experts"]) for group in range(2)]
        gate = self.fit("gate", cnn(2, "gate"), self.by_group(self.train),
                        self.by_group(self.test), epochs["gate"])
        whole = mixture(copy_of(baseline), copy_of(gate), [copy_of(e) for e in experts],
                        self.classes)
        self.fit("mixture", whole, self.train, self.test, epochs["mixture"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, help="of every stage; the lab's own if left out")
    arguments = parser.parse_args()

    recipe = read_recipe(arguments.epochs)
    # Seeds weights and dropout. keras.utils.set_random_seed would also seed TensorFlow, whose
    # shuffling then gives every epoch the same order: see docs/fidelity.md.
    random.seed(arguments.seed)
    lab = Lab(arguments.data, recipe)
    lab.run()
    for group, declared in enumerate(recipe["groups"]):
        lab.stages[f"expert-{declared['name']}"] = lab.stages.pop(f"expert-{group}")
    result = {"seed": arguments.seed, "keras": keras.version(), "backend": keras.config.backend(),
              "models": lab.stages}
    unfinished = arguments.out.with_suffix(".part")  # a stopped run must not leave a result
    unfinished.write_text(json.dumps(result, indent=1) + "\n")
    unfinished.replace(arguments.out)


if __name__ == "__main__":
    main()
