#!/usr/bin/env python3
"""Compares ONNX files that Sluice writes, as ONNX Runtime runs them, with Sluice's own predictions.

  onnx_files.py [DRIVER]

Runs DRIVER (build/release/tools/parity/sluice_onnx_driver), which writes models with random weights.
Needs onnx, onnxruntime, numpy and safetensors. Exits with 1 where anything is beyond its bounds.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnx.version_converter
import onnxruntime
import safetensors

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRIVER = ROOT / "build/release/tools/parity/sluice_onnx_driver"
BATCHES = (1, 7, 64)
OPSETS = (14, 17, 21)  # to which a file of opset 13 must convert
BOUND = 1e-5  # relative to the largest value
MIN_SPREAD = 0.01  # minimum variation of the outputs over the images
NORMALIZATION = {"scale": 1 / 255, "offset": 0}


def metadata_faults(model, meta):
    """Returns differences between the file's metadata_props and Sluice's metadata."""
    props = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    names = json.loads(meta["class_names"])
    groups = {group["name"]: group["classes"] for group in props.get("groups", [])}
    if props.get("class_names", []) != names:
        yield "class names"
    if groups != json.loads(meta.get("groups", "{}")):
        yield "groups"
    if props["normalization"] != NORMALIZATION:
        yield "normalization"
    if model.producer_name != "sluice" or not model.producer_version:
        yield "producer"


def compare(path):
    """Returns the largest difference at each batch size, the chosen groups, and faults as texts."""
    faults = []
    model = onnx.load(path)
    try:
        onnx.checker.check_model(model, full_check=True)
    except onnx.checker.ValidationError as error:
        faults.append(f"checker: {error}")
    for opset in OPSETS:
        try:
            onnx.version_converter.convert_version(model, opset)
        except RuntimeError as error:
            faults.append(f"opset {opset}: {error}")
    with safetensors.safe_open(path.with_suffix(".safetensors"), "np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        faults += metadata_faults(model, file.metadata())

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (images,) = session.get_inputs()
    outputs = [output.name for output in session.get_outputs()]
    mixture = "group" in tensors
    if images.name != "images" or images.shape[0] != "batch":
        faults.append(f"input {images.name} {images.shape}")
    if outputs != (["scores", "group"] if mixture else ["probabilities"]):
        faults.append(f"outputs {outputs}")

    spread = tensors["outputs"].std(axis=0).max() / np.abs(tensors["outputs"]).max()
    if spread < MIN_SPREAD:
        faults.append(f"outputs vary by {spread:.1e} only, which proves little")
    differences = []
    for batch in BATCHES:
        # The last images, so that a batch of one is not always the first image.
        given = tensors["images"][-batch:].reshape(-1, *images.shape[1:])
        results = session.run(None, {"images": given})
        expected = tensors["outputs"][-batch:]
        difference = np.abs(results[0].reshape(batch, -1) - expected).max() / np.abs(expected).max()
        differences.append(difference)
        if not difference <= BOUND:
            faults.append(f"differs at batch {batch}")
        if mixture and not np.array_equal(results[1], tensors["group"][-batch:]):
            faults.append(f"other groups at batch {batch}")
    chosen = np.unique(tensors["group"]).astype(int).tolist() if mixture else []
    if path.stem.startswith("mixture") and len(chosen) != int(path.stem[-1]):
        faults.append("a group has no image")
    return len(model.graph.node), differences, chosen, faults


def main():
    driver = sys.argv[1] if len(sys.argv) > 1 else DRIVER
    print(f"onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}: differences from "
          "Sluice, relative\nto the largest value, at most 1e-5\n")
    print(f"{'model':<13}{'nodes':>6}" + "".join(f"{f'batch {n}':>12}" for n in BATCHES) +
          f"  {'groups':<11}{'result'}")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([driver, folder], check=True)
        files = sorted(pathlib.Path(folder).glob("*.onnx"))
        for path in files:
            try:
                nodes, differences, chosen, faults = compare(path)
            except Exception as error:  # of ONNX Runtime, if it cannot load or run a file
                nodes, differences, chosen, faults = 0, [], [], [f"{type(error).__name__}: {error}"]
            groups = " ".join(map(str, chosen)) or "-"
            print(f"{path.stem:<13}{nodes:>6}" + "".join(f"{d:>12.1e}" for d in differences) +
                  f"{'':{12 * (len(BATCHES) - len(differences))}}  {groups:<11}{'FAILED' if faults else 'ok'}")
            for fault in faults:
                print(f"  {fault}")
            failed += bool(faults)
    print(f"\n{len(files) - failed} of {len(files)} models agree")
    return 0 if files and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
