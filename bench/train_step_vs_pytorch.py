"""Interleaves rounds of a Sluice program and of the same step in PyTorch, each in its own process.

Without a program's path it is one round of PyTorch: train_step_vs_pytorch.py --round LAYOUT BATCH
"""

import os
import statistics
import subprocess
import sys
import time

ROUNDS = 5
SECONDS = 5
LAYOUTS = ("contiguous", "channels_last")


def pytorch_round(layout, batch):
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(len(os.sched_getaffinity(0)))  # Debian's PyTorch may choose fewer

    class SmallCNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1_1 = nn.Conv2d(3, 32, 3, padding=1)
            self.conv1_2 = nn.Conv2d(32, 32, 3, padding=1)
            self.conv2_1 = nn.Conv2d(32, 64, 3, padding=1)
            self.conv2_2 = nn.Conv2d(64, 64, 3, padding=1)
            self.dense1 = nn.Linear(4096, 512)
            self.output = nn.Linear(512, 10)

        def forward(self, x):
            x = F.relu(self.conv1_2(F.relu(self.conv1_1(x))))
            x = F.dropout(F.max_pool2d(x, 2), 0.25)
            x = F.relu(self.conv2_2(F.relu(self.conv2_1(x))))
            x = F.dropout(F.max_pool2d(x, 2), 0.25)
            x = F.dropout(F.relu(self.dense1(x.flatten(1))), 0.5)
            return self.output(x)

    memory_format = {"contiguous": torch.contiguous_format,
                     "channels_last": torch.channels_last}[layout]
    model = SmallCNN().to(memory_format=memory_format)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    images = torch.rand(batch, 3, 32, 32).contiguous(memory_format=memory_format)
    labels = torch.randint(0, 10, (batch,))

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    for _ in range(10):
        step()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        step()
        steps += 1
    print(steps * batch / (time.perf_counter() - start))


def rate(command):
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    program, batch = sys.argv[1], sys.argv[2]
    commands = {"sluice": [program, batch, str(SECONDS)]}
    for layout in LAYOUTS:
        commands[f"pytorch {layout}"] = [sys.executable, __file__, "--round", layout, batch]
    rates = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            rates[name].append(rate(command))

    print(f"images/s, training the small CNN, batch {batch}, fp32")
    for name, values in rates.items():
        rounds = " ".join(f"{value:7.1f}" for value in values)
        print(f"{name:22} median {statistics.median(values):7.1f}   rounds {rounds}")
    best = max(LAYOUTS, key=lambda layout: statistics.median(rates[f"pytorch {layout}"]))
    ratios = [a / b for a, b in zip(rates["sluice"], rates[f"pytorch {best}"])]
    print(f"sluice / pytorch {best}: median {statistics.median(ratios):.2f}, "
          f"min {min(ratios):.2f}, max {max(ratios):.2f}")


if __name__ == "__main__":
    if sys.argv[1] == "--round":
        pytorch_round(sys.argv[2], int(sys.argv[3]))
    else:
        main()
