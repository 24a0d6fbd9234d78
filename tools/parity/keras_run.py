"""Runs a scenario in real Keras: outputs, loss, gradients, steps of Adam, a fit."""

import warnings
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf

from keras_models import CLASSES, Parity, build, get_weights, set_weights
from scenario import FIT_BATCH, FIT_LEARNING_RATE, STEPS, Scenario

# A mixture's gate has no gradient, on purpose.
warnings.filterwarnings("ignore", message="Gradients do not exist for variables")


@dataclass
class KerasRun:
    outputs: np.ndarray | None = None
    losses: list[float] = field(default_factory=list)
    gradients: dict[str, np.ndarray] = field(default_factory=dict)
    sluice_losses: list[float] = field(default_factory=list)
    after_first: dict[str, np.ndarray] = field(default_factory=dict)
    # Figures of the worst tensor: a step's largest difference, relative to the largest value; the
    # median over steps of the norm of a step's difference, relative to the weights' norm; and the
    # relative norm of all steps' differences together, after each number of steps.
    worst_step: tuple[float, str] = (0.0, "")
    typical_step: tuple[float, str] = (0.0, "")
    apart: dict[int, tuple[float, str]] = field(default_factory=dict)
    groups: np.ndarray | None = None  # the gate's group for every row of every step
    history: np.ndarray | None = None  # (epochs, loss accuracy val_loss val_accuracy)
    after_fit: dict[str, np.ndarray] = field(default_factory=dict)


def compiled(parity: Parity, scenario: Scenario, learning_rate: float = 1e-3) -> keras.Model:
    """Compiles the model with the initial weights and a new optimizer."""
    set_weights(parity, scenario.under("first/"))
    parity.model.compile(optimizer=keras.optimizers.Adam(learning_rate),
                         loss=keras.losses.CategoricalCrossentropy(), metrics=["accuracy"])
    return parity.model


def first_step(parity: Parity, scenario: Scenario, run: KerasRun) -> None:
    model = compiled(parity, scenario)
    inputs, targets = scenario.batch(0, scenario.step_masks(parity.masks), model.output_shape[-1])
    with tf.GradientTape() as tape:
        outputs = model([tf.convert_to_tensor(i) for i in inputs], training=True)
        loss = keras.losses.CategoricalCrossentropy()(targets, outputs)
    gradients = tape.gradient(loss, [v.value for v in parity.variables.values()])
    run.outputs = np.array(outputs)
    run.gradients = {name: np.array(gradient)
                     for name, gradient in zip(parity.variables, gradients)
                     if gradient is not None}


def relative_norm(difference: np.ndarray, weights: np.ndarray) -> float:
    return float(np.linalg.norm(difference) / (np.linalg.norm(weights) or 1))


def steps(parity: Parity, scenario: Scenario, run: KerasRun, count: int) -> None:
    """Starts each step from Sluice's weights, because two trainings from the same weights diverge
    by themselves (docs/fidelity.md). Gradients and Adam's moments are Keras's own. The steps'
    differences are summed."""
    model = compiled(parity, scenario)
    masks = scenario.step_masks(parity.masks)
    apart = {name: np.zeros(variable.shape) for name, variable in parity.variables.items()}
    step_norms: dict[str, list[float]] = {name: [] for name in apart}
    for step, (loss, weights) in enumerate(scenario.steps(count)):
        model.reset_metrics()  # otherwise the loss is a mean over the steps
        inputs, targets = scenario.batch(step, masks, model.output_shape[-1])
        run.losses.append(float(model.train_on_batch(inputs, targets)[0]))
        run.sluice_losses.append(loss)
        after = get_weights(parity)
        if step == 0:
            run.after_first = after
        for name in apart:
            step_apart = after[name] - weights[name].reshape(after[name].shape)
            apart[name] += step_apart
            step_norms[name].append(relative_norm(step_apart, after[name]))
            largest = np.abs(after[name]).max() or 1  # a gate of zeros stays zero
            run.worst_step = max(run.worst_step, (float(np.abs(step_apart).max() / largest), name))
        if step + 1 in STEPS:
            run.apart[step + 1] = max((relative_norm(apart[name], after[name]), name)
                                      for name in apart)
        set_weights(parity, weights)
    run.typical_step = max((float(np.median(each)), name) for name, each in step_norms.items())


def route(gate: keras.Model, parity: Parity, scenario: Scenario, run: KerasRun,
          count: int) -> None:
    """The gate is not trained, so its initial weights are valid for every step."""
    masks = scenario.step_masks(parity.masks)
    set_weights(parity, scenario.under("first/"))
    chosen = np.concatenate([gate.predict_on_batch(scenario.batch(step, masks, CLASSES)[0])
                             for step in range(count)])
    run.groups = np.where(chosen[:, 0] > chosen[:, 1], 0, 1)


def fit(parity: Parity, scenario: Scenario, run: KerasRun) -> None:
    model = compiled(parity, scenario, FIT_LEARNING_RATE)
    classes = model.output_shape[-1]
    history = []
    for epoch in range(len(scenario["fit/history"])):  # each epoch has its own order
        inputs, targets = scenario.epoch(epoch, parity.masks, classes)
        figures = model.fit(inputs, targets, batch_size=FIT_BATCH, shuffle=False, verbose=0,
                            initial_epoch=epoch, epochs=epoch + 1,
                            validation_data=scenario.test(parity.masks, classes)).history
        history.append([figures[f][0] for f in ("loss", "accuracy", "val_loss", "val_accuracy")])
    run.history = np.array(history)
    run.after_fit = get_weights(parity)


def run_keras(scenario: Scenario, count: int, with_fit: bool) -> KerasRun:
    """Runs `count` steps, and the fit if asked."""
    keras.backend.clear_session()
    parity, gate = build(scenario.model, scenario.dropout)
    run = KerasRun()
    first_step(parity, scenario, run)
    if gate is not None:
        route(gate, parity, scenario, run, count)
    steps(parity, scenario, run, count)
    if with_fit:
        fit(parity, scenario, run)
    return run
