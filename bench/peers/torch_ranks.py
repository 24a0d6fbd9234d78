"""Training steps of the lab's small CNN by several ranks in PyTorch: DistributedDataParallel with
gloo, whose variables (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT) each rank has.

    torch_ranks.py train --setting channels_last --batch 256 --threads 1

The batch is that of all ranks. Rank 0 prints the figures."""

import os

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from measure import CLASSES, Clock, arguments, report
from torch_models import cnn, loss_of_logits
from torch_way import Way


def main() -> None:
    options = arguments()
    torch.set_flush_denormal(True)
    torch.set_num_threads(options.threads)
    distributed.init_process_group("gloo")
    way = Way(options.words)
    model = DistributedDataParallel(way.place(cnn(CLASSES)))
    step = way.trainer(way.judge(model, loss_of_logits), way.adam(model))
    rows = options.batch // distributed.get_world_size()
    images, labels = way.store(torch.rand(rows, 32, 32, 3)), torch.randint(0, CLASSES, (rows,))
    clock = Clock(options.batch, options.seconds)
    done = torch.zeros(1)
    while not done.item():
        step(images, labels)
        done[0] = clock.tick()
        # All ranks make the same steps; a few bytes, which the steps' own messages hide.
        distributed.broadcast(done, 0)
    if os.environ["RANK"] == "0":
        report(f"PyTorch {torch.__version__}", torch.get_num_threads(), clock.figures())
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
