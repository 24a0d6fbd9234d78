"""PyTorch, Debian's or the newest: the same program for both.

Settings: contiguous or channels_last; routed (see Mixture); compiled (torch.compile); traced (for
inference, TorchScript's optimisations); bf16 (autocast)."""

import torch

from measure import CLASSES, IMAGES, Clock, arguments, measure, report
from torch_lab import Lab
from torch_models import cnn, loss_of_logits, loss_of_probabilities, new_mixture
from torch_way import Way, shuffled


def train(model, loss_of, way: Way, options) -> dict:
    step = way.trainer(model, way.judge(model, loss_of))
    images = way.store(torch.rand(IMAGES, 32, 32, 3))
    labels = torch.randint(0, CLASSES, (IMAGES,))
    clock = Clock(options.batch, options.seconds)
    while True:
        for batch in shuffled(images, labels, options.batch):
            step(*batch)
            if clock.tick():
                return clock.figures()


def infer(model, way: Way, options) -> dict:
    images = way.store(torch.rand(options.batch, 32, 32, 3))
    with torch.inference_mode():
        model, images = way.for_inference(model, images)
        return measure(lambda: model(images), options.batch, options.seconds)


def main() -> None:
    options = arguments()
    torch.set_flush_denormal(True)  # before threads exist; TensorFlow does this by default
    torch.set_num_threads(options.threads)  # Debian's PyTorch may choose fewer
    way = Way(options.words)
    if options.work == "lab":
        figures = {"accuracy": Lab(way, options.data, options.epochs).run()}
    elif options.work == "train":
        figures = train(way.place(cnn(CLASSES)), loss_of_logits, way, options)
    else:
        model = way.place(new_mixture(CLASSES, way.routed))
        if options.work == "joint":
            figures = train(model, loss_of_probabilities, way, options)
        else:
            figures = infer(model, way, options)
    report(f"PyTorch {torch.__version__}", torch.get_num_threads(), figures)


if __name__ == "__main__":
    main()
