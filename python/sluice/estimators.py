"""Classifiers with scikit-learn's manners: grid search, pipelines, cross-validation.

Images come as (images, height, width, channels), grey ones as (images, height, width), or as rows
of a 2-D array. uint8 values are divided by 255; values of other types go in as they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from sluice import layers
from sluice._engine import UserError
from sluice.mixtures import Mixture, Verdict, compare, find_groups, group_numbers, named_groups
from sluice.models import BaseModel
from sluice.networks import Sequential
from sluice.optimizers import BY_NAME


def _guessed_shape(features: int) -> tuple[int, int, int]:
    """Square pictures, grey or of three channels; else one row."""
    for channels in (1, 3):
        side = isqrt(features // channels)
        if side > 1 and side * side * channels == features:
            return side, side, channels
    return 1, features, 1


class CNNClassifier(ClassifierMixin, BaseEstimator):
    """A convolutional network for images, as the lab's: blocks of two convolutions and a pooling.

    Parameters
    ----------
    filters : sequence of int
        Filters of each block.
    units : int
        Units of the layer behind the last block.
    dropout : float
        Share of values that training leaves out behind each block.
    epochs, batch_size : int
        As of Sequential.fit().
    optimizer : {"adam", "adamw", "sgd"}
    learning_rate : float
    image_shape : tuple (height, width, channels) or None
        Shape of the images in rows of a 2-D X. By default square ones, grey or with three channels;
        a row of another length is an image of one row.
    random_state : int, RandomState or None
        Of the initial weights, the order of the images and dropout.
    verbose : int
        As of Sequential.fit().

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    model_ : Sequential
    history_ : dict of str to list of float
        Loss and accuracy of each epoch.
    n_features_in_ : int
        Of a 2-D X.

    Examples
    --------
    >>> import numpy as np, sluice
    >>> x = np.repeat(np.array([0, 255], np.uint8), 20)[:, None] * np.ones(64, np.uint8)
    >>> y = np.repeat(["dark", "light"], 20)
    >>> classifier = sluice.CNNClassifier(filters=(8,), units=8, epochs=20, random_state=0)
    >>> float(classifier.fit(x, y).score(x, y))
    1.0
    """

    model_: BaseModel

    def __init__(
        self,
        filters: Sequence[int] = (32, 64),
        units: int = 128,
        dropout: float = 0.25,
        epochs: int = 20,
        batch_size: int = 32,
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        image_shape: tuple[int, int, int] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ):
        self.filters = filters
        self.units = units
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.image_shape = image_shape
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> CNNClassifier:
        """Trains on images X and their classes y, which may be names.

        sample_weight is the weight of each image in the loss.
        """
        images, numbers, weights, seed = self._begin(X, y, sample_weight)
        self.model_ = self._network("cnn", images.shape[1:], len(self.classes_), seed)
        self.history_ = self._trained(self.model_, images, numbers, weights)
        self.model_.class_names = [str(each) for each in self.classes_]
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Returns probabilities, float64 (images, classes), in the order of `classes_`."""
        check_is_fitted(self)
        outputs = self.model_.predict(self._images(X, reset=False)).astype(np.float64)
        sums = outputs.sum(axis=1, keepdims=True)
        # A mixture may give every class 0.
        shares = np.where(sums > 0, outputs / np.where(sums > 0, sums, 1), 1 / outputs.shape[1])
        return np.asarray(shares)

    def predict(self, X: Any) -> np.ndarray:
        """Returns the likeliest class of each image."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[likeliest])

    def _begin(
        self, X: Any, y: Any, sample_weight: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        """Returns images, numbers of their classes, their weights, and a seed."""
        if self.optimizer not in BY_NAME:
            raise UserError(
                f"[fit] optimizer={self.optimizer!r}: must be one of {', '.join(BY_NAME)}"
            )
        images = self._images(X, y, reset=True)
        y = np.asarray(y)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y.ravel(), return_inverse=True)
        weights = np.asarray(
            _check_sample_weight(sample_weight, images, dtype=np.float32, ensure_non_negative=True)
        )
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        return images, numbers, weights, seed

    def _images(self, X: Any, y: Any = "no_validation", *, reset: bool) -> np.ndarray:
        # Other types, and lists, become the first of these.
        checked: Any = validate_data(
            self, X, y, reset=reset, allow_nd=True, dtype=[np.float64, np.float32, np.uint8]
        )
        images: np.ndarray = checked[0] if isinstance(checked, tuple) else checked
        if images.ndim > 2:
            return images
        shape = self.image_shape or _guessed_shape(images.shape[1])
        if int(np.prod(shape)) != images.shape[1]:
            raise UserError(
                f"[fit] image_shape={shape} has {np.prod(shape)} values, and rows have "
                f"{images.shape[1]}"
            )
        return images.reshape(len(images), *shape)

    def _network(self, name: str, shape: Sequence[int], outputs: int, seed: int) -> Sequential:
        model = Sequential([layers.Input((*shape, 1)[:3])], name, seed=seed)
        height, width = shape[0], shape[1]
        for filters in self.filters:
            for _ in range(2):
                model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
            if height > 1 and width > 1:
                model.add(layers.MaxPooling2D())
                height, width = height // 2, width // 2
            model.add(layers.Dropout(self.dropout))
        model.add(layers.Flatten())
        model.add(layers.Dense(self.units, "relu"))
        model.add(layers.Dropout(self.dropout))
        model.add(layers.Dense(outputs, "softmax"))
        return model

    def _trained(
        self, model: BaseModel, images: np.ndarray, numbers: np.ndarray, weights: np.ndarray
    ) -> dict[str, Any]:
        """Trains a model, and returns its history."""
        if self.verbose:
            print(f"{model.name}: {len(images)} images")
        model.compile(BY_NAME[self.optimizer](self.learning_rate))
        history = model.fit(
            images,
            numbers,
            self.batch_size,
            self.epochs,
            verbose=self.verbose,
            sample_weight=weights,
        )
        return history.history


class MixtureOfExpertsClassifier(CNNClassifier):
    """The lab's mixture: a baseline for all classes, an expert for each group of classes, and a
    gate, which are trained one after the other and then as a whole.

    Parameters
    ----------
    groups : "auto" or dict of str to list of classes
        Groups of the classes. "auto" finds them by what the baseline confuses on a part of the
        images, which it is not trained on.
    validation_fraction : float
        That part. With groups that are given, it is not used.
    filters, units, dropout, epochs, batch_size, optimizer, learning_rate, image_shape, \
random_state, verbose
        As of CNNClassifier, for each network and the mixture.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    groups_ : dict of str to list of classes
        Empty if there are fewer than four classes, which have no groups: the baseline is all.
    baseline_ : Sequential
        The baseline as it was before the mixture was trained.
    experts_ : dict of str to Sequential
    gate_ : Sequential or None
    model_ : Mixture, or the baseline
    history_ : dict of str to dict
        By model, the figures of each epoch.
    n_features_in_ : int
        Of a 2-D X.
    """

    def __init__(
        self,
        groups: str | Mapping[str, Sequence[Any]] = "auto",
        validation_fraction: float = 0.1,
        filters: Sequence[int] = (32, 64),
        units: int = 128,
        dropout: float = 0.25,
        epochs: int = 20,
        batch_size: int = 32,
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        image_shape: tuple[int, int, int] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ):
        super().__init__(
            filters,
            units,
            dropout,
            epochs,
            batch_size,
            optimizer,
            learning_rate,
            image_shape,
            random_state,
            verbose,
        )
        self.groups = groups
        self.validation_fraction = validation_fraction

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MixtureOfExpertsClassifier:
        """Trains all networks on images X and their classes y, which may be names.

        sample_weight is the weight of each image in the losses.
        """
        images, numbers, weights, seed = self._begin(X, y, sample_weight)
        shape, classes = images.shape[1:], len(self.classes_)
        groups = self._given_groups()
        held_out: Any = None
        if groups is None:
            parts: Any = train_test_split(
                images,
                numbers,
                weights,
                test_size=self.validation_fraction,
                stratify=numbers,
                random_state=seed,
            )
            images, numbers, weights = parts[0], parts[2], parts[4]
            held_out = parts[1], parts[3]
        self.baseline_ = self._network("baseline", shape, classes, seed)
        self.history_ = {"baseline": self._trained(self.baseline_, images, numbers, weights)}
        self.baseline_.class_names = [str(each) for each in self.classes_]
        self.experts_: dict[str, Sequential] = {}
        self.gate_: Sequential | None = None
        if groups is None:
            groups = self._found_groups(*held_out)
        self.groups_ = {name: self.classes_[its].tolist() for name, its in groups.items()}
        self.model_ = self.baseline_
        if groups:
            self.model_ = self._mixture(groups, images, numbers, weights, seed)
        return self

    def compare(self, X: Any, y: Any) -> Verdict:
        """Tells whether the mixture is better than its baseline, on images that fit() has not seen.

        Raises UserError for a classifier without groups.
        """
        check_is_fitted(self)
        if not isinstance(self.model_, Mixture):
            raise UserError("[compare] there is no mixture: there are fewer than four classes")
        numbers = np.searchsorted(self.classes_, np.asarray(y))
        return compare(self.baseline_, self.model_, self._images(X, reset=False), numbers)

    def _given_groups(self) -> dict[str, list[int]] | None:
        """Returns the numbers of each group's classes; None if they are to be found."""
        if isinstance(self.groups, Mapping):
            numbers = {each: number for number, each in enumerate(self.classes_.tolist())}
            unknown = [each for its in self.groups.values() for each in its if each not in numbers]
            if unknown:
                raise UserError(f"[fit] groups have {unknown}, and y has no such class")
            groups = {name: [numbers[each] for each in its] for name, its in self.groups.items()}
            named_groups(groups, [str(each) for each in self.classes_])  # checks them
            return groups
        if self.groups != "auto":
            raise UserError(f'[fit] groups={self.groups!r}: must be "auto" or a dict')
        if len(self.classes_) >= _FEWEST_CLASSES:
            return None
        warnings.warn(
            f"{len(self.classes_)} classes have no groups: the baseline is trained alone",
            stacklevel=3,
        )
        return {}

    def _found_groups(self, images: np.ndarray, numbers: np.ndarray) -> dict[str, list[int]]:
        names = self.baseline_.class_names
        found = find_groups(self.baseline_, images, numbers, verbose=self.verbose)
        return {group: [names.index(each) for each in its] for group, its in found.items()}

    def _mixture(
        self,
        groups: dict[str, list[int]],
        images: np.ndarray,
        numbers: np.ndarray,
        weights: np.ndarray,
        seed: int,
    ) -> Mixture:
        shape, classes = images.shape[1:], len(self.classes_)
        for number, (name, its) in enumerate(groups.items()):
            expert = self._network(f"expert-{name}", shape, classes, seed + 1 + number)
            of_group = np.isin(numbers, its)
            self.history_[expert.name] = self._trained(
                expert, images[of_group], numbers[of_group], weights[of_group]
            )
            self.experts_[name] = expert
        gate = self._network("gate", shape, len(groups), seed + 1 + len(groups))
        gate_numbers = group_numbers(numbers, groups)
        self.history_["gate"] = self._trained(gate, images, gate_numbers, weights)
        self.gate_ = gate
        mixture = Mixture(self.baseline_, self.experts_, gate, groups, seed=seed)
        self.history_["mixture"] = self._trained(mixture, images, numbers, weights)
        return mixture


_FEWEST_CLASSES = 4
