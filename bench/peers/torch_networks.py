"""The networks of src/lab/networks.cpp in PyTorch, and those of two experiments. They map images
(n, 3, height, width) in [0, 1] to logits (n, classes)."""

import torch
from torch import nn
from torch.nn import functional

MEAN = 0.4914, 0.4822, 0.4465
DEVIATION = 0.2470, 0.2435, 0.2616


class Normalize(nn.Module):
    def __init__(self):
        super().__init__()
        mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, DEVIATION))
        self.register_buffer("scale", 1 / deviation, persistent=False)
        self.register_buffer("offset", -mean / deviation, persistent=False)

    def forward(self, images):
        return torch.addcmul(self.offset, images, self.scale)


class Scale(nn.Module):
    def __init__(self, factor: float):
        super().__init__()
        self.factor = factor

    def forward(self, values):
        return values * self.factor


class BiasNorm(nn.BatchNorm2d):
    """Batch normalization without a scale: it is 1, and no parameter."""

    def __init__(self, channels: int):
        super().__init__(channels, eps=1e-12, momentum=0.4)
        del self.weight
        self.register_buffer("weight", torch.ones(channels), persistent=False)


def identity_convolution(inputs: int, filters: int) -> nn.Conv2d:
    """The first filters, one for each input channel, copy it at the start."""
    convolution = nn.Conv2d(inputs, filters, 3, padding=1, bias=False)
    with torch.no_grad():
        nn.init.dirac_(convolution.weight[:inputs])
    return convolution


def airbench(classes: int, width: float = 1) -> nn.Sequential:
    """For images of 32x32. `width` multiplies the filters of all but the first convolution."""
    whiten = nn.Conv2d(3, 24, 2)
    nn.init.zeros_(whiten.bias)
    whiten.weight.requires_grad_(False)
    layers = [Normalize(), whiten, nn.GELU()]
    inputs = 24
    for filters in (round(width * filters) for filters in (64, 256, 256)):
        layers += [identity_convolution(inputs, filters), nn.MaxPool2d(2), BiasNorm(filters),
                   nn.GELU(), identity_convolution(filters, filters), BiasNorm(filters), nn.GELU()]
        inputs = filters
    return nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten(),
                         nn.Linear(inputs, classes, bias=False), Scale(1 / 9))


def convolution(inputs: int, filters: int, kernel: int = 3, stride: int = 1,
                groups: int = 1) -> nn.Sequential:
    """Without bias, padded as by Keras's "same": with stride 2 and even sizes only below and on the
    right."""
    if kernel == 3 and stride == 2:
        return nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)),
                             nn.Conv2d(inputs, filters, 3, 2, groups=groups, bias=False))
    return nn.Sequential(nn.Conv2d(inputs, filters, kernel, stride, kernel // 2, groups=groups,
                                   bias=False))


class ResidualBlock(nn.Module):
    def __init__(self, inputs: int, filters: int, stride: int):
        super().__init__()
        def normalised(*convolved):
            return nn.Sequential(convolution(*convolved), nn.BatchNorm2d(filters))

        self.project = normalised(inputs, filters, 1, stride) if stride > 1 else nn.Identity()
        self.through = nn.Sequential(normalised(inputs, filters, 3, stride), nn.ReLU(inplace=True),
                                     normalised(filters, filters))

    def forward(self, values):
        return (self.through(values) + self.project(values)).relu_()


def resnet20(classes: int) -> nn.Sequential:
    layers = [convolution(3, 16), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    inputs = 16
    for filters in (16, 32, 64):
        for block in range(3):
            layers.append(ResidualBlock(inputs, filters, 2 if inputs < filters else 1))
            inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


def mobilenet_small(classes: int) -> nn.Sequential:
    def activated(filters: int, *convolved, groups: int = 1) -> list[nn.Module]:
        return [convolution(*convolved, groups=groups),
                nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01), nn.ReLU6(inplace=True)]

    layers = activated(8, 3, 8, 3, 2)
    inputs = 8
    for filters, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2),
                            *[(128, 1)] * 5, (256, 2), (256, 1)):
        layers += activated(inputs, inputs, inputs, 3, stride, groups=inputs)
        layers += activated(filters, inputs, filters, 1)
        inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, classes))


class CondConv2d(nn.Module):
    """A convolution of 3x3, "same", of each image with its own mix of kernels."""

    def __init__(self, inputs: int, filters: int, kernels: int):
        super().__init__()
        self.gate = nn.Linear(inputs, kernels)
        self.kernel = nn.Parameter(torch.empty(kernels, filters, inputs * 9))
        bound = (inputs * 9) ** -0.5
        nn.init.uniform_(self.kernel, -bound, bound)

    def forward(self, images):
        weights = self.gate(images.mean((2, 3))).softmax(1)
        mixed = (weights @ self.kernel.flatten(1)).view(len(images), *self.kernel.shape[1:])
        # Matrices of patches are faster than a convolution with a group for each image.
        patches = functional.unfold(images, 3, padding=1)
        return (mixed @ patches).unflatten(2, images.shape[2:])


def pays(classes: int) -> nn.Sequential:
    """experiments/pays.toml"""
    layers = [Normalize(), convolution(3, 4), nn.MaxPool2d(2), nn.BatchNorm2d(4), nn.GELU(),
              CondConv2d(4, 4, 8), nn.BatchNorm2d(4), nn.GELU()]
    inputs = 4
    for filters in (8, 16):
        layers += [CondConv2d(inputs, filters, 8), nn.MaxPool2d(2), nn.BatchNorm2d(filters),
                   nn.GELU(), CondConv2d(filters, filters, 8), nn.BatchNorm2d(filters), nn.GELU()]
        inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(),
                         nn.Linear(inputs, classes))


class MixtureOfExperts(nn.Module):
    """Each image has the expert with its largest logit, times the softmax of that. Images are
    gathered by expert."""

    def __init__(self, gate: nn.Module, experts: list[nn.Module], filters: int):
        super().__init__()
        self.gate, self.experts, self.filters = gate, nn.ModuleList(experts), filters

    def forward(self, values):
        weights, chosen = self.gate(values).softmax(1).max(1)
        results = values.new_empty((len(values), self.filters, *values.shape[2:]))
        results = results.contiguous(memory_format=torch.channels_last
                                     if values.is_contiguous(memory_format=torch.channels_last)
                                     else torch.contiguous_format)
        for number, expert in enumerate(self.experts):
            rows = (chosen == number).nonzero().squeeze(1)
            if len(rows) > 0:
                results = results.index_copy(0, rows, expert(values[rows]).to(results.dtype))
        return results * weights.view(-1, 1, 1, 1)


def experts(classes: int) -> nn.Sequential:
    """experts.toml"""
    layers = []
    inputs = 3
    for filters in (32, 64):
        layers += [convolution(inputs, filters), nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01),
                   nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        inputs = filters
    gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 8))
    each = [nn.Sequential(nn.Conv2d(inputs, 128, 3, padding=1), nn.ReLU(inplace=True),
                          nn.Conv2d(128, 128, 3, padding=1), nn.ReLU(inplace=True))
            for _ in range(8)]
    return nn.Sequential(*layers, MixtureOfExperts(gate, each, 128), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(128, classes))


NETWORKS = {"airbench": airbench, "resnet20": resnet20, "mobilenet-small": mobilenet_small,
            "pays": pays, "experts": experts}
