"""The lab's models in PyTorch, equal to those of tools/parity/lab_keras.py in Keras."""

import torch
from torch import nn
from torch.nn import functional as F


def cnn(outputs: int) -> nn.Sequential:
    """Maps images (n, 3, 32, 32) to logits (n, outputs)."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(4096, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, outputs))


def importance_model(classes: int) -> nn.Sequential:
    """Maps images to logits (n, 2 * classes): weights of baseline and expert, class by class."""
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 512), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(512, 2 * classes))


def probabilities(logits: torch.Tensor) -> torch.Tensor:
    return F.softmax(logits.float(), 1)  # not in bf16


class Mixture(nn.Module):
    """Returns probabilities, not logits. Dense: every part runs for every image, and where selects;
    routed: an expert and its importance model run only for the images that the gate gives them."""

    def __init__(self, baseline, gate, experts, classes: int, routed: bool = False):
        super().__init__()
        self.baseline, self.gate, self.experts = baseline, gate, nn.ModuleList(experts)
        self.importances = nn.ModuleList([importance_model(classes) for _ in experts])
        self.gate.requires_grad_(False)
        self.classes = classes
        self.routed = routed

    def sub_gate(self, group: int, images, base):
        weights = probabilities(self.importances[group](images)).view(-1, self.classes, 2)
        expert = probabilities(self.experts[group](images))
        return base * weights[:, :, 0] + expert * weights[:, :, 1]

    def forward(self, images):
        base = probabilities(self.baseline(images))
        with torch.no_grad():
            gate = self.gate(images)
            first = gate[:, 0:1] > gate[:, 1:2]
        if not self.routed:
            return torch.where(first, self.sub_gate(0, images, base),
                               self.sub_gate(1, images, base))
        result = torch.zeros_like(base)
        for group, chosen in enumerate((first, ~first)):
            rows = chosen.squeeze(1).nonzero().squeeze(1)
            if len(rows):
                result = result.index_copy(0, rows, self.sub_gate(group, images[rows], base[rows]))
        return result


def new_mixture(classes: int, routed: bool = False) -> Mixture:
    return Mixture(cnn(classes), cnn(2), [cnn(classes), cnn(classes)], classes, routed)


def loss_of_logits(logits, labels):
    return F.cross_entropy(logits.float(), labels)


def loss_of_probabilities(output, labels):
    """Keras's loss: divides by the sum, which is not 1 in a mixture, and clips."""
    output = output / output.sum(1, keepdim=True)
    return F.nll_loss(output.clamp(1e-7, 1 - 1e-7).log(), labels)
