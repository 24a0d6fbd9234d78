"""Tests of the recipe in PyTorch: build/pytorch-venv/bin/python bench/peers/torch_fast_test.py"""

import unittest

import torch
from torch.nn import functional as F

from torch_images import ALL_VIEWS, Epochs, changed
from torch_networks import airbench
from torch_recipe import Lookahead, rate_factor, sgd, whiten

RECIPE = {"learning_rate": 1.5, "weight_decay": 0.128, "norm_bias_learning_rate_factor": 64.0,
          "momentum": 0.85, "nesterov": True}


class Images(unittest.TestCase):
    def setUp(self):
        self.images = torch.arange(16, dtype=torch.uint8).view(1, 4, 4, 1)

    def change(self, down, right, mirrored):
        return changed(self.images, torch.tensor([0]), torch.tensor([[down, right]]),
                       torch.tensor([mirrored])).squeeze()

    def test_a_shift_reflects_the_edges(self):
        padded = F.pad(self.images.permute(0, 3, 1, 2).float(), [2] * 4, "reflect").squeeze()
        self.assertTrue(torch.equal(self.change(2, -1, False).float(), padded[0:4, 3:7]))

    def test_an_image_is_mirrored_from_left_to_right(self):
        self.assertEqual(self.change(0, 0, True)[0].tolist(), [3, 2, 1, 0])

    def test_mirroring_alternates_and_the_last_partial_batch_is_left_out(self):
        images = torch.tensor([0, 1], dtype=torch.uint8).view(1, 1, 2, 1).repeat(50, 2, 1, 1)
        epochs = Epochs(images, torch.arange(50), 20, 0)
        seen = [{}, {}]
        for number in (1, 2):
            batches = list(epochs.epoch(number))
            self.assertEqual([len(labels) for _, labels in batches], [20, 20])
            for batch, labels in batches:
                seen[number - 1] |= zip(labels.tolist(), batch[:, 0, 0, 0].tolist())
        both = seen[0].keys() & seen[1].keys()
        self.assertTrue(all(seen[0][i] != seen[1][i] for i in both))
        self.assertEqual(set(seen[0].values()), {0, 1})

    def test_the_weights_of_the_views_add_up_to_one(self):
        self.assertEqual(sum(weight for _, _, weight in ALL_VIEWS), 1)


class Recipe(unittest.TestCase):
    def test_whitened_patches_have_the_identity_as_second_moments(self):
        images = torch.randint(0, 256, (50, 8, 8, 3), dtype=torch.uint8)
        network = airbench(10)
        whiten(network, images)
        seen = network[1](network[0](images.permute(0, 3, 1, 2) / 255))
        self.assertTrue(torch.allclose(seen[:, :12], -seen[:, 12:], atol=1e-5))
        seen = seen[:, :12].transpose(0, 1).flatten(1)
        self.assertTrue(torch.allclose(seen @ seen.T / seen.shape[1], torch.eye(12), atol=0.01))

    def test_the_rate_rises_and_falls(self):
        schedule = {"warmup": 0.25, "start_factor": 0.2, "end_factor": 0.07}
        factors = [rate_factor(step, 8, schedule) for step in (0, 1, 2, 8)]
        self.assertEqual([round(f, 6) for f in factors], [0.2, 0.6, 1, 0.07])

    def test_biases_of_norms_learn_faster_with_the_same_decay(self):
        others, norms = sgd(airbench(10), RECIPE).param_groups
        self.assertEqual((len(others["params"]), len(norms["params"])), (8, 6))
        self.assertEqual((norms["lr"], norms["weight_decay"]), (96, 0.002))
        self.assertEqual((others["lr"], others["weight_decay"]), (1.5, 0.128))

    def test_lookahead_keeps_a_share_of_the_slow_values_and_the_statistics(self):
        norm = torch.nn.BatchNorm2d(1)
        lookahead = Lookahead(norm, 5)
        norm.running_mean.fill_(1)
        lookahead.follow(4, 10)
        self.assertEqual(norm.running_mean.item(), 1)
        lookahead.follow(5, 10)
        self.assertAlmostEqual(norm.running_mean.item(), 1 - 0.95 ** 5 / 8, places=6)
        norm.running_mean.fill_(9)
        lookahead.take()
        self.assertLess(norm.running_mean.item(), 1)


if __name__ == "__main__":
    unittest.main()
