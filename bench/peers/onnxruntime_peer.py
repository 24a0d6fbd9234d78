"""ONNX Runtime on the model that `sluice export --format onnx` writes."""

import numpy as np
import onnxruntime

from measure import arguments, measure, report


def main() -> None:
    options = arguments()
    threads = onnxruntime.SessionOptions()
    threads.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(options.model, threads,
                                           providers=["CPUExecutionProvider"])
    shape = options.batch, options.image_size, options.image_size, 3
    images = np.random.default_rng(0).random(shape, np.float32)
    feed = {session.get_inputs()[0].name: images}
    report(f"ONNX Runtime {onnxruntime.__version__}", options.threads,
           measure(lambda: session.run(None, feed), options.batch, options.seconds))


if __name__ == "__main__":
    main()
