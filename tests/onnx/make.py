#!/usr/bin/env python3
"""Writes the ONNX files of this folder: small networks as people export them from PyTorch.

  make.py [FOLDER]

Needs torch, onnx and onnxscript. Names are NETWORK-EXPORTER-OPSET: "script" is the exporter by
TorchScript (dynamo=False), "dynamo" the newer one. tools/parity/onnx_import.py compares Sluice's
predictions of the files with ONNX Runtime's.
"""

import pathlib
import sys
import warnings

import onnx
import torch
from torch import nn
from torch.nn import functional as F

INPUT = (2, 3, 12, 10)  # height and width differ, so that swapped axes show
warnings.filterwarnings("ignore")


class Normalized(nn.Module):
    """Normalises pixels by mean and deviation, and flattens by view(), as many tutorials do."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.49, 0.48, 0.45]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.25, 0.24, 0.26]).view(1, 3, 1, 1))
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 5, 3, padding=1)
        self.fc1 = nn.Linear(5 * 2 * 1, 8)
        self.fc2 = nn.Linear(8, 4)

    def forward(self, x):
        x = (x - self.mean) / self.std
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(torch.tanh(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        return self.fc2(F.relu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.shortcut = nn.Sequential() if stride == 1 else nn.Sequential(
            nn.Conv2d(channels, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, 1, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
                                  nn.MaxPool2d(3, 2, padding=1))
        self.blocks = nn.Sequential(Block(6, 6, 1), Block(6, 8, 2))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.blocks(self.stem(x))), 1))


class Mobile(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish(),
            nn.Conv2d(8, 8, 3, 2, 1, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU6(),
            nn.Conv2d(8, 6, 1), nn.BatchNorm2d(6), nn.SiLU())

    def forward(self, x):
        return self.features(x).mean([2, 3])


class Dense(nn.Module):
    """Concatenates images, and vectors of a flattened image and a pooled one."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3, padding=1)
        self.b = nn.Conv2d(7, 3, (3, 2), padding=(0, 1))
        self.norm = nn.BatchNorm1d(3 * 5 * 5 + 10)
        self.fc = nn.Linear(3 * 5 * 5 + 10, 3)

    def forward(self, x):
        both = torch.cat([x, F.gelu(self.a(x))], 1)
        small = F.avg_pool2d(F.elu(self.b(both)), 2)
        pooled = F.adaptive_max_pool2d(both, 1).flatten(1)
        vector = torch.cat([small.flatten(1), pooled, x.mean((2, 3))], 1)
        return F.log_softmax(self.fc(F.leaky_relu(self.norm(vector), 0.1)), 1)


class Activations(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.Mish(), nn.Conv2d(6, 6, 3), nn.Softplus(),
            nn.AvgPool2d(3, 2, padding=1), nn.Conv2d(6, 6, 2), nn.Hardsigmoid(), nn.Flatten(),
            nn.Linear(36, 8), nn.SELU(), nn.Dropout(0.5), nn.Linear(8, 8), nn.Softsign(),
            nn.Linear(8, 1), nn.Sigmoid())

    def forward(self, x):
        return self.layers(x)


NETWORKS = {"normalized": Normalized, "residual": Residual, "mobile": Mobile, "dense": Dense,
            "activations": Activations}


def trained(network):
    """Gives normalisations statistics as training does, and weights other than the first ones."""
    generator = torch.Generator().manual_seed(1)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var") or "bn" in name and name.endswith("weight"):
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
        elif tensor.ndim > 1:
            tensor.mul_(2)  # outputs that depend on the images
        elif name.endswith(("running_mean", "bias")):
            tensor.copy_(torch.rand(tensor.shape, generator=generator) - 0.5)
    return network.eval()


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    images = torch.rand(INPUT, generator=torch.Generator().manual_seed(2))
    batch = torch.export.Dim("batch")
    for name, make in NETWORKS.items():
        for exporter, opset in (("script", 9), ("script", 17), ("dynamo", 21)):
            torch.manual_seed(0)
            network = trained(make())
            file = folder / f"{name}-{exporter}-{opset}.onnx"
            dynamic = (dict(dynamo=False, dynamic_axes={"images": {0: "batch"}}, input_names=["images"])
                       if exporter == "script" else
                       dict(dynamo=True, dynamic_shapes=({0: batch},), external_data=False,
                            verbose=False))
            torch.onnx.export(network, (images,), str(file), opset_version=opset, **dynamic)
            model = onnx.load(file)
            for part in (model, model.graph, *model.graph.node, *model.graph.input,
                         *model.graph.output, *model.graph.value_info):
                del part.metadata_props[:]  # paths of the machine
            del model.graph.value_info[:]
            onnx.save(model, file)


if __name__ == "__main__":
    main()
