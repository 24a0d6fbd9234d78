"""Keras on TensorFlow: model.fit on arrays, and for inference a tf.function, which is faster than
predict_on_batch. The models are those of tools/parity/lab_keras.py.

Settings: oneDNN or Eigen (TensorFlow's kernels), or XLA (jit_compile); bf16 (mixed_bfloat16)."""

import os
import sys
from pathlib import Path

from measure import CLASSES, IMAGES, Clock, arguments, measure, report

OPTIONS = arguments()
if "XLA" not in OPTIONS.words:
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1" if "oneDNN" in OPTIONS.words else "0"
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/parity"))

import lab_keras
import keras
import numpy as np
import tensorflow as tf

XLA = "XLA" in OPTIONS.words


class Timer(keras.callbacks.Callback):
    def __init__(self, clock: Clock):
        super().__init__()
        self.clock = clock

    def on_train_batch_end(self, batch, logs=None):
        if self.clock.tick():
            self.model.stop_training = True


def mixture() -> keras.Model:
    experts = [lab_keras.cnn(CLASSES, f"expert-{group}") for group in range(2)]
    return lab_keras.mixture(lab_keras.cnn(CLASSES, "baseline"), lab_keras.cnn(2, "gate"), experts,
                             CLASSES)


def train(model: keras.Model) -> dict:
    random = np.random.default_rng(0)
    images = random.random((IMAGES, *lab_keras.INPUT), np.float32)
    labels = keras.utils.to_categorical(random.integers(0, CLASSES, IMAGES), CLASSES)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="categorical_crossentropy",
                  metrics=["accuracy"], jit_compile=XLA)
    clock = Clock(OPTIONS.batch, OPTIONS.seconds)
    model.fit(images, labels, batch_size=OPTIONS.batch, epochs=1_000_000, verbose=0,
              callbacks=[Timer(clock)])
    return clock.figures()


def infer(model: keras.Model) -> dict:
    images = tf.random.uniform((OPTIONS.batch, *lab_keras.INPUT))
    predict = tf.function(lambda x: model(x, training=False), jit_compile=XLA)
    return measure(lambda: predict(images).numpy(), OPTIONS.batch, OPTIONS.seconds)


def lab() -> dict:
    lab = lab_keras.Lab(OPTIONS.data, lab_keras.read_recipe(OPTIONS.epochs))
    lab.run()
    return {"accuracy": lab.stages["mixture"]["accuracy"]}


def main() -> None:
    tf.config.threading.set_intra_op_parallelism_threads(OPTIONS.threads)
    tf.config.threading.set_inter_op_parallelism_threads(OPTIONS.threads)
    if "bf16" in OPTIONS.words:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    if OPTIONS.work == "lab":
        figures = lab()
    elif OPTIONS.work == "inference":
        figures = infer(mixture())
    else:
        model = lab_keras.cnn(CLASSES, "cnn") if OPTIONS.work == "train" else mixture()
        figures = train(model)
    report(f"Keras {keras.version()}, TensorFlow {tf.__version__}",
           tf.config.threading.get_intra_op_parallelism_threads(), figures)


if __name__ == "__main__":
    main()
