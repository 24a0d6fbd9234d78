"""PyTorch, Debian's or the newest: the same program for both.

Settings: contiguous or channels_last; routed (see Mixture); compiled (torch.compile); traced (for
inference, TorchScript's optimisations); bf16 (autocast)."""

import torch
from torch import nn

import torch_networks
from measure import CLASSES, IMAGES, Clock, arguments, measure, report
from torch_lab import Lab
from torch_models import cnn, loss_of_logits, loss_of_probabilities, new_mixture
from torch_way import Way, shuffled

NETWORK_IMAGES = 2048


def train(model, loss_of, way: Way, options) -> dict:
    step = way.trainer(way.judge(model, loss_of), way.adam(model))
    # As in `sluice bench`, the images of the networks are bytes, and fewer.
    shape = NETWORK_IMAGES, options.image_size, options.image_size, 3
    images = way.store(torch.randint(0, 256, shape, dtype=torch.uint8) if options.network
                       else torch.rand(IMAGES, 32, 32, 3))
    labels = torch.randint(0, CLASSES, (len(images),))
    clock = Clock(options.batch, options.seconds)
    while True:
        for batch in shuffled(images, labels, options.batch):
            step(*batch)
            if clock.tick():
                return clock.figures()


def infer(model, way: Way, options) -> dict:
    images = way.store(torch.rand(options.batch, options.image_size, options.image_size, 3))
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
    elif options.network:
        network = way.place(torch_networks.NETWORKS[options.network](CLASSES))
        figures = (train(network, loss_of_logits, way, options) if options.work == "train"
                   else infer(nn.Sequential(network, nn.Softmax(1)), way, options))
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
