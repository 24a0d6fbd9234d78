"""Changes images at random for training, and makes views of them for the test, as Sluice's
[train.augment] and [evaluate] views. Images are bytes, (n, height, width, 3), square."""

import torch

# Shift along both axes, whether mirrored, and weight.
ONE_VIEW = ((0, False, 1),)
ALL_VIEWS = tuple((shift, mirrored, weight) for shift, weight in ((0, .25), (1, .125), (-1, .125))
                  for mirrored in (False, True))
TEST_BATCH = 1000


def changed(images, rows, shifts, mirrored):
    """Returns some rows, each shifted by (down, right) with reflected edges, or also mirrored."""
    size = images.shape[1]
    places = torch.arange(size)

    def shifted(line, shift):
        line = (line - shift).abs()
        return torch.where(line < size, line, 2 * (size - 1) - line)

    down = shifted(places, shifts[:, :1])
    right = shifted(torch.where(mirrored[:, None], size - 1 - places, places), shifts[:, 1:])
    return images[rows[:, None, None], down[:, :, None], right[:, None, :]]


class Epochs:
    """Batches of an epoch, without the last partial one. A random half of the images is mirrored
    in each odd epoch, and the other half in each even one."""

    def __init__(self, images, labels, size: int, shift: int):
        self.images, self.labels, self.size, self.shift = images, labels, size, shift
        self.steps = len(labels) // size
        if not self.steps:
            raise SystemExit(f"{len(labels)} training images: less than a batch of {size}")
        self.mirrored = torch.rand(len(labels)) < 0.5

    def epoch(self, number: int):
        for rows in torch.randperm(len(self.labels))[:self.steps * self.size].split(self.size):
            shifts = torch.randint(-self.shift, self.shift + 1, (self.size, 2))
            mirrored = self.mirrored[rows] ^ (number % 2 == 0)
            yield changed(self.images, rows, shifts, mirrored), self.labels[rows]


@torch.inference_mode()
def accuracy(predict, way, images, labels, views) -> float:
    """Averages the logits of the views."""
    right = 0
    for rows in torch.arange(len(labels)).split(TEST_BATCH):
        logits = 0
        for shift, mirrored, weight in views:
            view = changed(images, rows, torch.full((len(rows), 2), shift),
                           torch.full((len(rows),), mirrored))
            with way.precision():
                logits += weight * predict(way.batch(way.store(view))).float()
        right += int((logits.argmax(1) == labels[rows]).sum())
    return right / len(labels)
