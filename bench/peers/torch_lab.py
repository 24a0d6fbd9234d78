"""The whole lab in PyTorch: data, stages and recipe of tools/parity/lab_keras.py."""

import copy
import tomllib
from pathlib import Path

import torch

from torch_models import Mixture, cnn, loss_of_logits, loss_of_probabilities
from torch_way import Way, shuffled

ROOT = Path(__file__).resolve().parents[2]


def read_cifar(file: Path, count: int, way: Way):
    """Reads images and labels of one file of CIFAR-10's binary version."""
    records = torch.frombuffer(bytearray(file.read_bytes()), dtype=torch.uint8).view(-1, 3073)
    records = records[:count]
    images = records[:, 1:].reshape(-1, 3, 32, 32).permute(0, 2, 3, 1)
    return way.store(images.float().div(255).contiguous()), records[:, 0].long()


def epoch_of(run, batches) -> tuple[float, float]:
    """Returns the mean loss and the accuracy of `run` on the batches."""
    loss, right, count = 0.0, 0, 0
    for images, labels in batches:
        batch_loss, batch_right = run(images, labels)
        loss += batch_loss * len(labels)
        right += batch_right
        count += len(labels)
    return float(loss / count), float(right / count)


class Lab:
    def __init__(self, way: Way, data: Path, epochs: int | None):
        recipe = tomllib.loads((ROOT / "experiments/lab.toml").read_text())
        self.way = way
        self.recipe = recipe["train"]
        self.epochs = self.recipe["epochs"]
        if epochs:
            self.epochs = dict.fromkeys(self.epochs, epochs)
        names = (data / "batches.meta.txt").read_text().split()
        self.classes = len(names)
        self.members = [torch.tensor([names.index(name) for name in group["classes"]])
                        for group in recipe["groups"]]
        self.train = read_cifar(data / "data_batch_1.bin", recipe["data"]["train_images"], way)
        self.test = read_cifar(data / "test_batch.bin", recipe["data"]["test_images"], way)

    def fit(self, model, train, test, epochs: int, loss_of=loss_of_logits) -> float:
        """Returns the accuracy after the last epoch. As in Keras, each epoch counts loss and
        accuracy on the training images during training, and then on the test images."""
        size = self.recipe["batch_size"]
        judge = self.way.judge(self.way.place(model), loss_of)
        step = self.way.trainer(judge, self.way.adam(model, self.recipe["learning_rate"]))
        for epoch in range(1, epochs + 1):
            model.train()
            trained = epoch_of(step, shuffled(*train, size))
            model.eval()
            with torch.inference_mode():
                tested = epoch_of(judge, zip(test[0].split(size), test[1].split(size)))
            print(f"{epoch}/{epochs}: loss, accuracy {trained}, test {tested}", flush=True)
        return tested[1]

    def of_group(self, examples, group: int):
        rows = torch.isin(examples[1], self.members[group]).nonzero().squeeze(1)
        return examples[0][rows], examples[1][rows]

    def by_group(self, examples):
        return examples[0], torch.isin(examples[1], self.members[1]).long()

    def run(self) -> float:
        """Trains the lab and returns the mixture's accuracy."""
        baseline, gate = cnn(self.classes), cnn(2)
        experts = [cnn(self.classes) for _ in self.members]
        self.fit(baseline, self.train, self.test, self.epochs["baseline"])
        for group, expert in enumerate(experts):
            self.fit(expert, self.of_group(self.train, group), self.of_group(self.test, group),
                     self.epochs["experts"])
        self.fit(gate, self.by_group(self.train), self.by_group(self.test), self.epochs["gate"])
        mixture = copy.deepcopy(Mixture(baseline, gate, experts, self.classes, self.way.routed))
        return self.fit(mixture, self.train, self.test, self.epochs["mixture"],
                        loss_of_probabilities)
