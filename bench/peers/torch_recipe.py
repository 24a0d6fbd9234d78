"""Trains airbench by the recipe of experiments/fast.toml; torch_fast.py starts it.

    PYTHON torch_recipe.py WORDS... --train FILE --test FILE [--seed N] [--threads N] [--width W]
                           [--epochs N] [--train-images N]

The words are those of a PyTorch setting; files are those of folder_images.py."""

import argparse
import resource
import time
import tomllib
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from measure import report
from torch_images import ALL_VIEWS, ONE_VIEW, Epochs, accuracy
from torch_networks import BiasNorm, airbench
from torch_way import Way

ROOT = Path(__file__).resolve().parents[2]
WHITENED = 5000  # images


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="+")
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--width", type=float, default=1)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--train-images", type=int)
    return parser.parse_args()


def read(file: str, count: int | None = None):
    """Returns images (n, height, width, 3), bytes, and labels. The order is random and always the
    same."""
    with np.load(file) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    if count and count > len(labels):
        raise SystemExit(f"--train-images {count}: there are {len(labels)}")
    rows = np.random.default_rng(0).permutation(len(labels))[:count]
    return torch.from_numpy(images[rows]), torch.from_numpy(labels[rows])


def whiten(network, images) -> None:
    """Makes the filters of the first convolution whiten patches of the images: eigenvectors of the
    second moments, each over the root of its eigenvalue, and their negatives."""
    normalize, convolution = network[0], network[1]
    inputs = normalize(images.permute(0, 3, 1, 2).float() / 255)
    patches = F.unfold(inputs, convolution.kernel_size).transpose(1, 2).flatten(0, 1).double()
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / (values + 5e-4).sqrt()).T.flip(0).view(12, 3, 2, 2)
    convolution.weight.data.copy_(torch.cat((filters, -filters)))


def sgd(network, recipe: dict) -> torch.optim.Optimizer:
    """The biases of batch normalization learn faster, with the same product of rate and decay."""
    norms = [m.bias for m in network.modules() if isinstance(m, BiasNorm)]
    ids = {id(p) for p in norms}
    others = [p for p in network.parameters() if p.requires_grad and id(p) not in ids]
    rate, decay = recipe["learning_rate"], recipe["weight_decay"]
    factor = recipe["norm_bias_learning_rate_factor"]
    return torch.optim.SGD([{"params": others, "lr": rate, "weight_decay": decay},
                            {"params": norms, "lr": rate * factor, "weight_decay": decay / factor}],
                           momentum=recipe["momentum"], nesterov=recipe["nesterov"], fused=True)


def rate_factor(step: int, steps: int, schedule: dict) -> float:
    warm = schedule["warmup"] * steps
    start, end = schedule["start_factor"], schedule["end_factor"]
    if step < warm:
        return start + (1 - start) * step / warm
    return 1 + (end - 1) * (step - warm) / (steps - warm)


class Lookahead:
    """Slow weights, which keep a share of themselves every few steps; the statistics of batch
    normalization take part."""

    def __init__(self, network, period: int):
        self.values = [v for v in network.state_dict().values() if v.is_floating_point()]
        self.slow = [v.clone() for v in self.values]
        self.period = period

    def follow(self, step: int, steps: int) -> None:
        if step % self.period == 0:
            kept = 0.95 ** 5 * (step / steps) ** 3
            torch._foreach_lerp_(self.slow, self.values, 1 - kept)
            self.take()

    def take(self) -> None:
        torch._foreach_copy_(self.values, self.slow)


def train(network, way: Way, recipe: dict, examples, test) -> dict:
    """Returns the accuracy on the test images, with views and without, and times."""
    start = time.perf_counter()
    size, epochs = recipe["batch_size"], recipe["epochs"]
    batches = Epochs(*examples, size, recipe["augment"]["shift"])
    steps = batches.steps * epochs
    smoothing = recipe["label_smoothing"]
    judge = way.judge(network, lambda logits, labels: F.cross_entropy(
        logits.float(), labels, label_smoothing=smoothing))
    predict = way.compile(network)
    optimizer = sgd(network, recipe)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: rate_factor(step, steps, recipe["schedule"]))
    lookahead = Lookahead(network, recipe["lookahead"]["sync_period"])
    take_step = way.trainer(judge, optimizer)
    done, training = 0, 0.0
    for epoch in range(1, epochs + 1):
        begin = time.perf_counter()
        network.train()
        loss, right = 0.0, 0
        for images, labels in batches.epoch(epoch):
            batch_loss, batch_right = take_step(way.store(images), labels)
            schedule.step()
            done += 1
            lookahead.follow(done, steps)
            loss += batch_loss.item() / batches.steps
            right += batch_right.item()
        if epoch == epochs:
            lookahead.take()
        seconds = time.perf_counter() - begin
        training += seconds
        network.eval()
        tested = accuracy(predict, way, *test, ONE_VIEW)
        print(f"{epoch}/{epochs}: loss {loss:.4f}, accuracy {right / batches.steps / size:.4f}, "
              f"test {tested:.4f}, {seconds:.1f} s", flush=True)
    return {"accuracy": accuracy(predict, way, *test, ALL_VIEWS), "accuracy_without_views": tested,
            "seconds": time.perf_counter() - start, "training_seconds": training}


def main() -> None:
    options = arguments()
    recipe = tomllib.loads((ROOT / "experiments/fast.toml").read_text())["train"]
    recipe["epochs"] = options.epochs or recipe["epochs"]
    torch.set_flush_denormal(True)  # before threads exist
    torch.set_num_threads(options.threads)
    way = Way(options.words)
    examples, test = read(options.train, options.train_images), read(options.test)
    torch.manual_seed(options.seed)
    network = airbench(int(examples[1].max()) + 1, options.width)
    whiten(network, examples[0][:WHITENED])
    figures = train(way.place(network), way, recipe, examples, test)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report(f"PyTorch {torch.__version__}", torch.get_num_threads(),
           {**figures, "peak_mb": peak, "setting": " ".join(options.words), "seed": options.seed})


if __name__ == "__main__":
    main()
