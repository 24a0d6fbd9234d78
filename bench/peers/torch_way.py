"""Implements the words of a PyTorch setting."""

import contextlib

import torch


class Way:
    def __init__(self, words: list[str]):
        self.words = words
        self.channels_last = "channels_last" in words
        self.routed = "routed" in words
        self.bf16 = "bf16" in words

    def place(self, model):
        return model.to(memory_format=torch.channels_last if self.channels_last
                        else torch.contiguous_format)

    def store(self, images):
        """Converts images (n, height, width, 3) to the setting's memory layout."""
        return images if self.channels_last else images.permute(0, 3, 1, 2).contiguous()

    def batch(self, stored):
        """Returns images (n, 3, height, width) from `store`'s result, or from some of its rows;
        scales bytes to [0, 1]."""
        if stored.dtype == torch.uint8:
            stored = stored.float().div_(255)
        return stored.permute(0, 3, 1, 2) if self.channels_last else stored

    def compile(self, function):
        if "compiled" not in self.words:
            return function
        torch._dynamo.reset()  # it compiles a function for a few models only
        return torch.compile(function)

    def precision(self):
        return torch.autocast("cpu", torch.bfloat16) if self.bf16 else contextlib.nullcontext()

    def adam(self, model, learning_rate: float = 1e-3):
        # PyTorch before 2.4 has no fused Adam for processors.
        version = tuple(int(part) for part in torch.__version__.split(".")[:2])
        fused = {"fused": True} if version >= (2, 4) else {}
        return torch.optim.Adam([p for p in model.parameters() if p.requires_grad],
                                lr=learning_rate, eps=1e-7, **fused)

    def judge(self, model, loss_of):
        """Returns a function of (images, labels): the loss, and the number of correct images."""
        @self.compile
        def judged(images, labels):
            output = model(images)
            return loss_of(output, labels), (output.argmax(1) == labels).sum()

        def judge(images, labels):
            with self.precision():
                return judged(self.batch(images), labels)

        return judge

    def trainer(self, judge, optimizer):
        """Returns a training step on (images, labels), with `judge`'s results."""
        def step(images, labels):
            optimizer.zero_grad(set_to_none=True)
            loss, right = judge(images, labels)
            loss.backward()
            optimizer.step()
            return loss.detach(), right

        return step

    def for_inference(self, model, images):
        """Returns the model as a function of images, and the images in its layout."""
        model, images = model.eval(), self.batch(images)
        if self.bf16:
            model, images = model.bfloat16(), images.bfloat16()
        if "traced" in self.words:
            model = torch.jit.optimize_for_inference(torch.jit.trace(model, images))
        if "compiled" in self.words:
            from torch._inductor import config
            config.freezing = True  # constant weights may have the kernels' layout
        return self.compile(model), images


def shuffled(images, labels, size: int):
    """Yields an epoch's batches."""
    for rows in torch.randperm(len(labels)).split(size):
        yield images.index_select(0, rows), labels.index_select(0, rows)
