"""The lab's mixture of experts: a baseline for all classes, an expert for each group of classes, a
gate that chooses the group, and importance models that weigh baseline and expert."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sluice import _arrays, _engine
from sluice._engine import Network, UserError
from sluice._html import preformatted, table
from sluice.models import BaseModel
from sluice.networks import Model, Sequential, of_network

Groups = Mapping[str, Sequence[int | str]]


def CNN(
    n_classes: int,
    large: bool = False,
    input_shape: Sequence[int] = (32, 32, 3),
    *,
    width: float = 1.0,
    name: str = "cnn",
    seed: int = 0,
) -> Sequential:
    """Makes the lab's network: two blocks of two convolutions, or three if `large`, a Dense of 512
    units, and a softmax.

    Args:
        n_classes: Number of outputs.
        large: Whether it has the third block.
        input_shape: (height, width, channels).
        width: Factor of all filters and units.
        name: Name in summaries.
        seed: As of Sequential.
    """
    network = Network.cnn(name, list(input_shape), n_classes, large, width, seed)
    return of_network(network, name, seed)


def _names(network: Network) -> list[str]:
    return network.class_names or [str(i) for i in range(network.output_shape[-1])]


class Mixture(BaseModel):
    """The lab's mixture.

    The gate chooses a group for an image, and the group's sub-gate answers: the sum of baseline and
    expert, weighed class by class.

    The networks are copied. fit() trains baseline, experts and importance models together; the gate
    stays as it is. An expert has an output for each class of the data, and so has the baseline; the
    gate has one for each group, in the order of `groups`.

    Args:
        baseline: Network for all classes.
        experts: By group, the network that was trained on its classes.
        gate: Network for the groups.
        groups: By group its classes: their numbers, or names of baseline.class_names.
        seed: Of the importance models' initial weights and of fit().

    Raises:
        UserError: If a class is in no group or in two, or the networks do not fit together.
    """

    def __init__(
        self,
        baseline: Sequential | Model,
        experts: Mapping[str, Sequential | Model],
        gate: Sequential | Model,
        groups: Groups,
        *,
        seed: int = 0,
    ):
        class_names = _names(baseline._built())
        named = named_groups(groups, class_names)
        if set(experts) != set(groups):
            raise UserError(
                f"[model] there are experts of {', '.join(experts)}, and groups "
                f"{', '.join(groups)}: give one for each group"
            )
        network = Network.mixture(
            baseline._built(),
            gate._built(),
            [experts[group]._built() for group in groups],
            named,
            seed,
        )
        super().__init__("mixture", seed, network)

    @property
    def groups(self) -> dict[str, list[str]]:
        """By group the names of its classes, in the order of the gate's outputs."""
        return dict(self._built().groups)


def named_groups(groups: Groups, class_names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Returns groups with the names of their classes.

    Raises:
        UserError: Unless each class is in one group.
    """
    of_class: dict[str, str] = {}
    named = []
    for group, classes in groups.items():
        names = [_name_of(each, class_names, group) for each in classes]
        for name in names:
            if name in of_class:
                raise UserError(
                    f"[groups] class {name} is in '{of_class[name]}' and '{group}': leave it in one"
                )
            of_class[name] = group
        named.append((group, names))
    missing = [name for name in class_names if name not in of_class]
    if missing:
        raise UserError(f"[groups] no group has {', '.join(missing)}: each class needs one")
    return named


def _name_of(given: int | str, class_names: Sequence[str], group: str) -> str:
    if isinstance(given, str) and given in class_names:
        return given
    if isinstance(given, (int, np.integer)) and 0 <= given < len(class_names):
        return class_names[int(given)]
    raise UserError(
        f"[groups] '{group}' has {given!r}, which is no class: there are {', '.join(class_names)}, "
        f"with the numbers 0 to {len(class_names) - 1}"
    )


def group_numbers(
    y: Any, groups: Groups, class_names: Sequence[str] | None = None
) -> NDArray[np.int32]:
    """Returns the number of each image's group, which the gate is trained to predict.

    Args:
        y: Class of each image from 0, or one-hot rows.
        groups: As of Mixture.
        class_names: Names of the classes, if the groups have names.

    Returns:
        (images,), int32: 0 for the first group.
    """
    if class_names is None:
        class_names = [str(i) for i in range(sum(len(classes) for classes in groups.values()))]
    numbers = np.empty(len(class_names), np.int32)
    for number, (_, names) in enumerate(named_groups(groups, class_names)):
        numbers[[class_names.index(name) for name in names]] = number
    return np.take(numbers, _arrays.labels(y, len(y), len(class_names)))


def find_groups(
    model: Sequential | Model, x: Any, y: Any, n_groups: int | None = None, verbose: int = 0
) -> dict[str, list[str]]:
    """Finds groups of classes that a network confuses.

    Groups are a choice: take images that the network was not trained on, and no test images.

    Args:
        model: A trained network for all classes.
        x: Images of every class.
        y: Their classes.
        n_groups: Number of groups; by default as many as divide the tree of classes best.
        verbose: 1 prints the tree, and the errors that experts could mend.

    Returns:
        By group the names of its classes: the `groups` of Mixture.
    """
    network = model._built()
    images = _arrays.images(x)
    labels = _arrays.labels(y, len(images), network.output_shape[-1])
    groups, text = _engine.find_groups(network, images, labels, _names(network), n_groups or 0)
    if verbose:
        print(text)
    return dict(groups)


class Verdict:
    """Whether a mixture was worth it, from compare().

    Attributes:
        sentence: The verdict in words, with accuracies, interval and p-value.
        improved: "yes", "no" or "not shown": whether the mixture is better than the baseline, by
            McNemar's exact test at 5%.
        worth_it: The same beside the best control; without controls a gain is not shown to be worth
            it.
        figures: All figures, as "verdict" in results.json.
    """

    def __init__(self, sentence: str, improved: str, worth_it: str, figures: dict[str, Any]):
        self.sentence = sentence
        self.improved = improved
        self.worth_it = worth_it
        self.figures = figures

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        return f"<Verdict: improved {self.improved}, worth it {self.worth_it}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.sentence)}</p>" + table(
            ["question", "answer"],
            [["has performance improved?", self.improved], ["was it worth it?", self.worth_it]],
        )


def compare(
    baseline: Sequential | Model,
    mixture: Mixture,
    x: Any,
    y: Any,
    controls: Mapping[str, Sequential | Model] | None = None,
) -> Verdict:
    """Compares a mixture with its baseline, on images that neither was chosen by.

    Args:
        baseline: The baseline as it was before the mixture was trained.
        mixture: The mixture.
        x: Test images.
        y: Their classes.
        controls: By name, other networks of the mixture's cost, such as a wider baseline.

    Returns:
        The verdict.
    """
    network = mixture._built()
    images = _arrays.images(x)
    labels = _arrays.labels(y, len(images), network.output_shape[-1])
    sentence, improved, worth_it, figures = _engine.judge(
        baseline._built(),
        network,
        [(name, control._built()) for name, control in (controls or {}).items()],
        images,
        labels,
        _names(network),
        network.groups,
    )
    return Verdict(sentence.rstrip("\n"), improved, worth_it, json.loads(figures))


class Explanation:
    """How a mixture answers an image, from explain(): what gate, baseline, expert and importance
    model say, and the likeliest classes."""

    def __init__(self, text: str):
        self._text = text

    def __str__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return preformatted(self._text)


def explain(baseline: Sequential | Model, mixture: Mixture, image: Any) -> Explanation:
    """Explains a mixture's answer for one image, (height, width, channels)."""
    network = mixture._built()
    images = _arrays.images(np.asarray(image)[np.newaxis])
    text = _engine.explain(baseline._built(), network, images, _names(network), network.groups)
    return Explanation(text.rstrip("\n"))


def load_model(filepath: str | PathLike[str]) -> Sequential | Mixture:
    """Opens a model file of BaseModel.save() or `sluice train`.

    Args:
        filepath: File, .safetensors.

    Returns:
        A network or a mixture, which compile() and fit() can train on.

    Raises:
        UserError: If it is no model file, or a damaged one.
    """
    network = Network.open(str(filepath))
    if not network.is_mixture:
        return of_network(network, json.loads(network.declaration)["name"], 0)
    mixture = Mixture.__new__(Mixture)
    BaseModel.__init__(mixture, "mixture", 0, network)
    return mixture
