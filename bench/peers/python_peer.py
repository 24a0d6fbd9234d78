"""Sluice's Python package: model.fit and model.predict on NumPy arrays, as keras_peer.py."""

import os

from measure import CLASSES, IMAGES, Clock, arguments, measure, report

OPTIONS = arguments()
os.environ["OMP_NUM_THREADS"] = str(OPTIONS.threads)

import numpy as np

import sluice


class Timer(sluice.callbacks.Callback):
    def __init__(self, clock: Clock):
        self.clock = clock

    def on_train_batch_end(self, batch, logs=None):
        if self.clock.tick():
            raise StopIteration  # stop_training would end the epoch first


def mixture() -> sluice.Mixture:
    groups = {"first": range(CLASSES // 2), "second": range(CLASSES // 2, CLASSES)}
    experts = {group: sluice.CNN(CLASSES) for group in groups}
    return sluice.Mixture(sluice.CNN(CLASSES), experts, sluice.CNN(2), groups)


def train(model: sluice.models.BaseModel) -> dict:
    random = np.random.default_rng(0)
    images = random.random((IMAGES, *model.input_shape), np.float32)
    labels = random.integers(0, CLASSES, IMAGES)
    model.compile(optimizer="adam")
    clock = Clock(OPTIONS.batch, OPTIONS.seconds)
    try:
        model.fit(images, labels, OPTIONS.batch, 1_000_000, verbose=0, callbacks=[Timer(clock)])
    except StopIteration:
        pass
    return clock.figures()


def infer(model: sluice.models.BaseModel) -> dict:
    images = np.random.default_rng(0).random((OPTIONS.batch, *model.input_shape), np.float32)
    return measure(lambda: model.predict(images), OPTIONS.batch, OPTIONS.seconds)


def main() -> None:
    works = {
        "train": lambda: train(sluice.CNN(CLASSES)),
        "joint": lambda: train(mixture()),
        "inference": lambda: infer(mixture()),
    }
    report(sluice.__version__, OPTIONS.threads, works[OPTIONS.work]())


main()
