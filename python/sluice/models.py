"""What all models can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np

from sluice import _arrays, losses, optimizers
from sluice._engine import Network, UserError
from sluice._hooks import Hooks
from sluice._html import preformatted
from sluice._json import to_json
from sluice._progress import Progress
from sluice.callbacks import Callback, History
from sluice.losses import Loss
from sluice.optimizers import Optimizer

_PREDICT_BATCH = 256


def _figures(y: np.ndarray, outputs: np.ndarray) -> tuple[float, float]:
    """Loss and accuracy, as Keras: outputs are divided by their sum and cut at 1e-7."""
    p = outputs / outputs.sum(axis=1, keepdims=True)
    right = np.clip(p[np.arange(len(y)), y].astype(np.float64), 1e-7, 1 - 1e-7)
    return float(-np.log(right).mean()), float((outputs.argmax(axis=1) == y).mean())


class BaseModel:
    """What all models can do: train, predict, tell of themselves, be saved.

    Several threads may use a model; one at a time computes, on all processors.
    """

    def __init__(self, name: str, seed: int, network: Network | None = None):
        self.name = name
        self.seed = seed
        self.stop_training = False
        self.history: History | None = None
        self.optimizer: Optimizer | None = None
        self.loss: Loss | None = None
        self._network = network
        self._fits = 0  # each has random numbers of its own

    def build(self, input_shape: Sequence[int] | None = None) -> None:
        """Makes the weights, if there are none."""

    def _built(self) -> Network:
        self.build()
        assert self._network is not None
        return self._network

    def _require_classifier(self, network: Network) -> int:
        """Returns the number of classes. Raises UserError if outputs are no probabilities."""
        return network.output_shape[-1]

    def compile(
        self,
        optimizer: str | Optimizer = "adam",
        loss: str | Loss = "sparse_categorical_crossentropy",
        metrics: Sequence[str] | None = None,
    ) -> None:
        """Chooses how fit() trains.

        Args:
            optimizer: "adam", "adamw", "sgd", or one of sluice.optimizers.
            loss: "sparse_categorical_crossentropy", "categorical_crossentropy", or one of
                sluice.losses. All take class numbers and one-hot rows.
            metrics: "accuracy", which is always there.
        """
        self.optimizer = _chosen(optimizer, Optimizer, optimizers.BY_NAME, "optimizer")
        self.loss = _chosen(loss, Loss, losses.BY_NAME, "loss")
        others = [metric for metric in metrics or () if metric not in ("accuracy", "acc")]
        if others:
            raise UserError(f"[compile] metrics={others}: there is 'accuracy' alone")

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: tuple[Any, Any] | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
    ) -> History:
        """Trains the network.

        Ctrl-C ends it after the present step with KeyboardInterrupt; the weights stay as they are
        then. A second call goes on from the weights, with a new state of the optimizer.

        Args:
            x: Images, (images, height, width, channels), or grey ones (images, height, width):
                whole numbers from 0 to 255, which are divided by 255, or floats, which the network
                gets as they are. Arrays of uint8 and float32 in C order are not copied.
            y: Class of each image from 0, or one-hot rows.
            batch_size: Images of a step; 32 by default.
            epochs: Number of times that every image is seen.
            verbose: 0: silent; 1 or "auto": counts steps on a terminal and in a notebook; 2: a
                line for each epoch.
            callbacks: See sluice.callbacks.
            validation_split: Share of the images, the last ones, to validate on.
            validation_data: Images and classes to validate on.
            shuffle: Must be True: each epoch has a new order.
            class_weight: By class number, the weight of its images in the loss; 1 for others.
            sample_weight: Weight of each image in the loss, 0 or more; class_weight multiplies it.
                Figures of validation and the accuracy are without weights.

        Returns:
            The figures of each epoch.

        Raises:
            UserError: If images or classes do not fit the network, or the loss becomes infinite
                because the learning rate is too high.
        """
        if self.optimizer is None or self.loss is None:
            raise UserError("[fit] the network is not compiled: call compile() first")
        if not shuffle:
            raise UserError("[fit] shuffle=False: images are always shuffled, leave it out")
        batch_size = 32 if batch_size is None else batch_size
        if batch_size < 1:
            raise UserError(f"[fit] batch_size={batch_size}: must be 1 or more")
        images = _arrays.images(x)
        self.build(images.shape[1:])
        network = self._built()
        outputs = self._require_classifier(network)
        classes = _arrays.labels(y, len(images), outputs)
        weights = _arrays.weights(sample_weight, len(images))
        if validation_data is None:
            first = _first_to_validate(len(images), validation_split)
            validation = images[first:], classes[first:]
            images, classes, weights = images[:first], classes[:first], weights[:first]
        else:
            validation = _validation(validation_data, outputs)
        history = History()
        called = [history, *(callbacks or ())]
        for callback in called:
            callback.set_model(self)
        progress = Progress(epochs, verbose)
        hooks = Hooks(called, progress, len(validation[0]) > 0)
        options = {
            "optimizer": self.optimizer.options(),
            "label_smoothing": self.loss.label_smoothing,
            "epochs": epochs,
            "batch_size": batch_size,
            "seed": self.seed,
            "stage": self._fits,
            "class_weight": _weights_of_classes(class_weight or {}, outputs),
            "every_step": hooks.every_step,
        }
        history.params = {"epochs": epochs, "steps": -(-len(images) // batch_size)}
        self.history = history
        self.stop_training = False
        self._fits += 1
        hooks.begin()
        try:
            network.fit(
                images,
                classes,
                weights,
                *validation,
                to_json(options),
                hooks.end_epoch,
                hooks.step,
            )
        finally:
            progress.close()
        hooks.end()
        return history

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = 0) -> np.ndarray:
        """Computes outputs.

        Args:
            x: Images, as for Sequential.fit().
            batch_size: Images that are computed at once; 256 by default.
            verbose: Is not used: for Keras's sake.

        Returns:
            (images, outputs), float32: the probability of each class.

        Raises:
            UserError: If the images do not fit the model, and in a process that was forked after a
                computation.
        """
        if batch_size is not None and batch_size < 1:
            raise UserError(f"[predict] batch_size={batch_size}: must be 1 or more")
        images = _arrays.images(x)
        self.build(images.shape[1:])
        return self._built().predict(images, batch_size or _PREDICT_BATCH)

    def __call__(self, x: Any) -> np.ndarray:
        return self.predict(x)

    def evaluate(
        self,
        x: Any,
        y: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        return_dict: bool = False,
    ) -> list[float] | dict[str, float]:
        """Computes loss and accuracy.

        Args:
            x: Images.
            y: Class of each image, or one-hot rows.
            batch_size: As of predict().
            verbose: 0 prints nothing.
            return_dict: Whether the figures come by name.

        Returns:
            [loss, accuracy], or {"loss": loss, "accuracy": accuracy}.
        """
        outputs = self.predict(x, batch_size)
        loss, accuracy = _figures(_arrays.labels(y, len(outputs), outputs.shape[1]), outputs)
        if verbose != 0:
            print(f"accuracy {accuracy:.4f} loss {loss:.4f}")
        return {"loss": loss, "accuracy": accuracy} if return_dict else [loss, accuracy]

    def get_weights(self) -> list[np.ndarray]:
        """Returns copies of all tensors, float32, in Keras's order and shapes."""
        network = self._built()
        return [network.tensor(i) for i in range(len(network.tensors()))]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets all tensors, in the order and shapes of get_weights().

        Raises:
            UserError: If there is another number of them, or one has another shape; then nothing
                has changed.
        """
        network = self._built()
        tensors = network.tensors()
        if len(weights) != len(tensors):
            raise UserError(f"[model] {len(weights)} arrays for {len(tensors)} tensors")
        arrays = [np.ascontiguousarray(each, np.float32) for each in weights]
        for array, (layer, kind, shape) in zip(arrays, tensors):
            if list(array.shape) != list(shape):
                raise UserError(
                    f"[model] {layer}/{kind} has the shape {tuple(shape)}, not {array.shape}"
                )
        for i, array in enumerate(arrays):
            network.set_tensor(i, array)

    def count_params(self) -> int:
        """Returns the number of values in all tensors."""
        return sum(int(np.prod(shape)) for _, _, shape in self._built().tensors())

    def __getstate__(self) -> dict[str, Any]:
        state = {key: value for key, value in self.__dict__.items() if key != "_network"}
        state["history"] = None  # it refers to this
        if self._network is not None:
            state["_declaration"] = self._network.declaration
            state["_weights"] = self.get_weights()
            state["_class_names"] = self.class_names
            state["_groups"] = self._network.groups
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        declaration = state.pop("_declaration", None)
        weights, class_names = state.pop("_weights", None), state.pop("_class_names", None)
        groups = state.pop("_groups", None)
        self.__dict__.update(state, _network=None)
        if declaration is None:
            return
        self._network = Network.declared(declaration, self.seed)
        self._network.class_names = class_names
        if self._network.is_mixture:
            self._network.groups = groups
        self.set_weights(weights)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(height, width, channels) of an image."""
        return tuple(self._built().input_shape)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of an image's output: (classes,)."""
        return tuple(self._built().output_shape)

    def summary(self, print_fn: Callable[[str], Any] = print) -> None:
        """Prints layers, shapes and parameters; print_fn gets the whole text."""
        print_fn(self._built().summary.rstrip("\n"))

    def _repr_html_(self) -> str:
        return preformatted(self._built().summary)

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, which a model file keeps; empty if there are none."""
        return self._built().class_names

    @class_names.setter
    def class_names(self, names: Sequence[str]) -> None:
        network = self._built()
        outputs = network.output_shape[-1]
        if len(names) != outputs:
            raise UserError(f"[model] {len(names)} class names for {outputs} outputs")
        network.class_names = list(names)

    def save(self, filepath: str | PathLike[str]) -> None:
        """Writes a model file, which load_model(), `sluice predict` and `sluice export` read.

        Without class_names, classes are named by their numbers.

        Args:
            filepath: File, .safetensors.
        """
        file = str(filepath)
        if not file.endswith(".safetensors"):
            raise UserError(
                f"[model] {file}: the file's name must end in .safetensors; `sluice export` makes "
                "files of Keras and ONNX of it"
            )
        network = self._built()
        if not network.class_names:
            network.class_names = [str(i) for i in range(network.output_shape[-1])]
        network.save(file)


def _first_to_validate(images: int, validation_split: float) -> int:
    """Returns the first row of those that are split off, as Keras splits them."""
    if not 0 <= validation_split < 1:
        raise UserError(f"[fit] validation_split={validation_split}: must be from 0 up to 1")
    return int(images * (1 - validation_split)) if validation_split else images


def _validation(data: tuple[Any, Any], outputs: int) -> tuple[np.ndarray, np.ndarray]:
    if len(data) != 2:
        raise UserError("[fit] validation_data must be (images, classes)")
    images = _arrays.images(data[0], "validation x")
    return images, _arrays.labels(data[1], len(images), outputs, "validation y")


def _chosen(given: Any, kind: type, by_name: Mapping[str, Callable[[], Any]], key: str) -> Any:
    """Returns an object of a kind, given itself or by its name."""
    if isinstance(given, str) and given in by_name:
        return by_name[given]()
    if isinstance(given, kind):
        return given
    raise UserError(
        f"[compile] {key}={given!r}: must be one of {', '.join(by_name)}, or an object of "
        f"sluice.{kind.__module__.rpartition('.')[2]}"
    )


def _weights_of_classes(class_weight: Mapping[int, float], outputs: int) -> list[float]:
    for number in class_weight:
        if number not in range(outputs):
            raise UserError(
                f"[fit] class_weight has the class {number!r}: there are 0 to {outputs - 1}"
            )
    return [float(class_weight.get(number, 1.0)) for number in range(outputs)]
