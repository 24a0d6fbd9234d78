"""OpenVINO on the model that `sluice export --format onnx` writes. Settings: fp32, bf16."""

import numpy as np
import openvino

from measure import arguments, measure, report


def main() -> None:
    options = arguments()
    core = openvino.Core()
    model = core.read_model(options.model)
    shape = options.batch, options.image_size, options.image_size, 3
    model.reshape(shape)
    # Without this setting OpenVINO uses bf16 if the processor has it.
    compiled = core.compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": options.threads, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if "bf16" in options.words else "f32"})
    request = compiled.create_infer_request()
    images = np.random.default_rng(0).random(shape, np.float32)
    report(f"OpenVINO {openvino.__version__.split('-')[0]}", options.threads,
           measure(lambda: request.infer([images], share_inputs=True), options.batch,
                   options.seconds))


if __name__ == "__main__":
    main()
