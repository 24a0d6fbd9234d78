"""Tests of the networks in PyTorch: build/pytorch-venv/bin/python bench/peers/torch_networks_test.py"""

import unittest

import torch

from torch_networks import NETWORKS

# Total and trainable parameters, as `sluice summary` of an experiment with the network.
PARAMETERS = {"airbench": (1_973_944, 1_971_352), "resnet20": (274_042, 272_474),
              "mobilenet-small": (221_114, 215_642), "pays": (36_574, 36_462),
              "experts": (1_793_010, 1_792_818)}


class Networks(unittest.TestCase):
    def test_parameters_are_as_many_as_in_sluice(self):
        self.assertEqual(PARAMETERS.keys(), NETWORKS.keys())
        for name, network in NETWORKS.items():
            model = network(10)
            total = sum(v.numel() for v in model.state_dict().values() if v.is_floating_point())
            trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
            self.assertEqual((total, trained), PARAMETERS[name], name)

    def test_a_stride_of_2_pads_below_and_on_the_right(self):
        layers = NETWORKS["mobilenet-small"](10)[:1]
        image = torch.zeros(1, 3, 96, 96)
        image[:, :, 0, 0] = 1
        seen = layers(image)
        self.assertEqual(seen.shape, (1, 8, 48, 48))
        kernel = layers[0][1].weight
        self.assertTrue(torch.allclose(seen[0, :, 0, 0], kernel[:, :, 0, 0].sum(1)))


if __name__ == "__main__":
    unittest.main()
