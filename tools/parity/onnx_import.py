#!/usr/bin/env python3
"""Imports ONNX networks as other programs write them, and compares Sluice with ONNX Runtime.

  onnx_import.py DRIVER [FOLDER...]

DRIVER is build/release/tools/parity/sluice_layers_driver. Networks are those of tests/onnx, which
PyTorch wrote, of FOLDERs, and those made here node by node, as PyTorch, tf2onnx and older programs
write them. Images are random, in [0, 1]. A row has the largest difference of the probabilities, or
for files that Sluice must refuse, its message. Exits with 1 where anything differs from what is
expected. Needs onnx, onnxruntime and numpy.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOUND = 1e-5
IMAGES = 4


class Net:
    """A graph of a chain of nodes; a value may be named to be used again."""

    def __init__(self, shape=("batch", 3, 12, 10), opset=17, ir=8, images=1.0, made_for=np.float32):
        self.shape, self.opset, self.ir = shape, opset, ir
        self.images = images  # factor from Sluice's images, in [0, 1], to the graph's
        self.type = made_for
        self.random = np.random.RandomState(len(shape) + opset)
        self.nodes, self.tensors, self.last, self.count = [], [], "x", 0
        self.outputs = None

    def tensor(self, values, name=None):
        name = name or f"t{len(self.tensors)}"
        values = np.asarray(values)
        if values.dtype.kind == "f":
            values = values.astype(self.type)
        self.tensors.append(numpy_helper.from_array(values, name))
        return name

    def weight(self, *shape, low=-0.7, high=0.7, name=None):
        return self.tensor(self.random.uniform(low, high, shape), name)

    def add(self, op, *inputs, source=None, **attributes):
        self.count += 1
        out = f"v{self.count}"
        self.nodes.append(helper.make_node(op, [source or self.last, *inputs], [out],
                                           name=f"/{op.lower()}{self.count}/{op}", **attributes))
        self.last = out
        return self

    def constant(self, values, **attributes):
        self.count += 1
        out = f"c{self.count}"
        attributes = attributes or {"value": numpy_helper.from_array(np.asarray(values))}
        self.nodes.append(helper.make_node("Constant", [], [out], **attributes))
        return out

    def conv(self, inputs, filters, kernel=3, bias=True, group=1, **attributes):
        shape = (filters, inputs // group, kernel, kernel)
        more = [self.weight(filters)] if bias else []
        if group != 1:
            attributes["group"] = group
        return self.add("Conv", self.weight(*shape), *more, **attributes)

    def norm(self, channels):
        return self.add("BatchNormalization", self.weight(channels, low=0.5, high=1.5),
                        self.weight(channels), self.weight(channels),
                        self.weight(channels, low=0.5, high=1.5))

    def dense(self, inputs, units, **attributes):
        attributes = attributes or {"transB": 1}
        shape = (units, inputs) if attributes.get("transB") else (inputs, units)
        return self.add("Gemm", self.weight(*shape), self.weight(units), **attributes)

    def head(self, channels, units=4):
        """Pools and classifies with logits."""
        return self.add("GlobalAveragePool").add("Flatten").dense(channels, units)

    def model(self):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.type))
        inputs = [helper.make_tensor_value_info("x", kind, self.shape)]
        if self.ir < 4:  # there initializers are inputs, too
            inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims)
                       for t in self.tensors]
        graph = helper.make_graph(
            self.nodes, "graph", inputs,
            [helper.make_tensor_value_info(name, kind, ("batch", "classes"))
             for name in self.outputs or [self.last]], self.tensors)
        return helper.make_model(graph, ir_version=self.ir,
                                 opset_imports=[helper.make_opsetid("", self.opset)])


def networks():
    """Yields names and networks that Sluice reads."""
    net = Net(opset=9, ir=3).conv(3, 5, pads=[1, 1, 1, 1]).add("Relu")
    yield "flatten of channels first, opset 9", net.add("MaxPool", kernel_shape=[2, 2],
                                                        strides=[2, 2]).add("Flatten").dense(150, 4)
    net = Net().conv(3, 5).norm(5).add("Relu").add("Flatten").add("Dropout").dense(400, 6)
    yield "normalised vector of an image", net.norm(6).add("Relu").dense(6, 4)
    net = Net().conv(3, 5).add("Flatten").norm(400)
    yield "normalised flattened image", net.dense(400, 4, transB=0).add("Softmax", axis=1)
    net = Net().conv(3, 6, 3, False, strides=[2, 2], pads=[1, 1, 1, 1]).norm(6).add("Relu")
    yield "stride 2, pads 1", net.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2],
                                      pads=[1, 1, 1, 1]).head(6)
    yield "stride 2, SAME_UPPER", Net().conv(3, 6, strides=[2, 2], auto_pad="SAME_UPPER").head(6)
    yield "stride 2, SAME_LOWER", Net().conv(3, 6, strides=[2, 2], auto_pad="SAME_LOWER").head(6)
    net = Net()
    net.add("Conv", net.weight(5, 3, 2, 4), strides=[1, 2], pads=[0, 1, 2, 0]).add("Relu")
    yield "rectangles, uneven pads", net.add("Flatten").dense(5 * 13 * 4, 4)
    net = Net().conv(3, 8, 1).conv(8, 8, 3, group=8, pads=[1, 1, 1, 1], strides=[2, 2])
    net.add("Clip", net.tensor(np.float32(0)), net.tensor(np.float32(6)))
    yield "depthwise, ReLU6", net.head(8)
    yield "Clip of attributes", Net(opset=10).conv(3, 6).add("Clip", min=0.0, max=6.0).head(6)
    for kind in (0, 1):
        net = Net().conv(3, 6).add("Relu")
        pads = {"pads": [1, 1, 1, 1]} if kind else {}
        net.add("AveragePool", kernel_shape=[3, 3], strides=[2, 2], count_include_pad=kind, **pads)
        yield f"mean pool, count_include_pad {kind}", net.head(6)
    net = Net().conv(3, 6).add("AveragePool", kernel_shape=[3, 3], strides=[1, 1],
                               auto_pad="SAME_UPPER")
    yield "mean pool, SAME_UPPER", net.head(6)
    net = Net().conv(3, 6).add("Relu").add("MaxPool", kernel_shape=[3, 3], strides=[2, 2],
                                           ceil_mode=1)
    yield "ceil_mode", net.add("Flatten").dense(6 * 5 * 4, 4)

    for op, attributes in (("LeakyRelu", {"alpha": 0.1}), ("Elu", {"alpha": 0.7}), ("Selu", {}),
                           ("Tanh", {}), ("Sigmoid", {}), ("Softplus", {}), ("Softsign", {}),
                           ("HardSigmoid", {}), ("HardSigmoid", {"alpha": 1 / 6}),
                           ("HardSwish", {}), ("Exp", {}), ("Mish", {}), ("Gelu", {})):
        net = Net(opset=20).conv(3, 6)
        if op == "Exp":
            net.add("Tanh")  # else a few large values decide alone
        net.add(op, **attributes)
        yield " ".join([op, *(f"{k} {v:.2g}" for k, v in attributes.items())]), net.head(6)
    net = Net().conv(3, 6)
    yield "PRelu of one slope", net.add("PRelu", net.tensor([[[0.3]]])).head(6)
    for order in ("half last", "half first"):
        net = Net().conv(3, 6)
        x = net.last
        erf = net.add("Div", net.constant(np.float32(2**0.5))).add("Erf").add(
            "Add", net.constant(np.float32(1))).last
        half = net.constant(np.float32(0.5))
        if order == "half first":
            net.add("Mul", half, source=x).add("Mul", erf)
        else:
            net.add("Mul", erf, source=x).add("Mul", half)
        yield f"GELU of Erf, {order}", net.head(6)
    net = Net().conv(3, 6)
    x = net.last
    yield "Sigmoid * x", net.add("Sigmoid").add("Mul", x).head(6)
    net = Net().conv(3, 6)
    x = net.last
    net.add("Sigmoid").add("Mul", net.tensor(np.float32(2))).add("Mul", x)
    yield "2 * Sigmoid * x", net.head(6)
    net = Net().conv(3, 6)
    x = net.last
    net.add("Add", net.constant(np.float32(3))).add("Clip", net.tensor(np.float32(0)),
                                                    net.tensor(np.float32(6)))
    yield "x * relu6(x + 3) / 6", net.add("Mul", x).add(
        "Div", net.constant(np.float32(6))).head(6)
    net = Net().conv(3, 6)
    x = net.last
    yield "x * Tanh(Softplus(x))", net.add("Softplus").add("Tanh").add("Mul", x).head(6)
    net = Net().conv(3, 6)
    x = net.last
    net.add("Sigmoid").conv(6, 6, 1)
    yield "gate of another value", net.add("Mul", x).head(6)
    net = Net().conv(3, 6)
    x = net.last
    net.conv(6, 6, pads=[1, 1, 1, 1])
    yield "sum", net.add("Add", x).add("Relu").head(6)
    net = Net().conv(3, 6)
    x = net.last
    yield "channels joined", net.conv(6, 4, 1).add("Concat", x, axis=1).head(10)
    net = Net().conv(3, 6)
    a = net.add("Flatten").last
    b = net.add("GlobalMaxPool", source="v1").add("Flatten").last
    yield "vectors joined", net.add("Concat", a, axis=1).dense(486, 4)

    net = Net()
    net.add("Sub", net.tensor([[[0.4]], [[0.5]], [[0.6]]]))
    net.add("Div", net.tensor([[[[0.2]], [[0.3]], [[0.25]]]]))
    yield "normalised input", net.conv(3, 6, pads=[1, 1, 1, 1]).add("Relu").head(6)
    net = Net(images=255)
    yield "pixels / 255", net.add("Div", net.tensor(np.float32(255))).conv(3, 6).head(6)
    net = Net(images=255)
    net.add("Mul", net.tensor(np.float32(1 / 127.5))).add("Sub", net.tensor(np.float32(1)))
    yield "pixels to -1..1", net.conv(3, 6).head(6)
    net = Net(images=255)
    net.add("Sub", net.tensor([[[123.7]], [[116.8]], [[103.9]]]))
    yield "pixels less their mean", net.conv(3, 6).head(6)
    net = Net().conv(3, 6, bias=False)
    net.add("Mul", net.weight(6, 1, 1)).add("Add", net.weight(1, 6, 1, 1))
    yield "scale and offset of channels", net.add("Relu").head(6)
    net = Net().conv(3, 6).add("Relu").add("Flatten")
    net.add("MatMul", net.weight(480, 8)).add("Add", net.weight(8)).add("Relu")
    yield "MatMul and Add", net.add("MatMul", net.weight(8, 4)).add("Add", net.weight(4))
    net = Net().conv(3, 6).add("Flatten")
    net.add("MatMul", net.weight(480, 8))
    x = net.last
    net.add("Add", net.weight(8)).add("Relu").add("Add", x)
    yield "MatMul that two nodes take", net.dense(8, 4)

    net = Net().conv(3, 6).add("Relu")
    x = net.last
    batch = net.add("Shape").add("Gather", net.constant(np.int64(0))).add(
        "Unsqueeze", net.tensor(np.array([0]))).last
    target = net.add("Concat", net.constant([-1]), source=batch, axis=0).last
    yield "view(size(0), -1)", net.add("Reshape", target, source=x).dense(480, 4)
    net = Net(opset=12).conv(3, 6).add("Relu")
    x = net.last
    sizes = net.add("Shape").add("Slice", net.constant([1]), net.constant([4]),
                                 net.constant([0])).last
    net.add("Gather", net.constant(np.int64(0)), source=sizes)
    c = net.last
    h = net.add("Gather", net.constant(np.int64(1)), source=sizes).last
    w = net.add("Gather", net.constant(np.int64(2)), source=sizes).last
    all_ = net.add("Mul", h, source=c).add("Mul", w).add("Unsqueeze", axes=[0]).last
    target = net.add("Concat", all_, source=net.constant([-1]), axis=0).last
    yield "view(-1, c * h * w)", net.add("Reshape", target, source=x).dense(480, 4)
    net = Net((1, 3, 12, 10)).conv(3, 6).add("Relu")
    yield "batch of one", net.add("Reshape", net.tensor(np.array([1, 480]))).dense(480, 4)
    net = Net().conv(3, 6).add("Relu").add("ReduceMean", axes=[2, 3], keepdims=0)
    yield "mean of pixels", net.dense(6, 4)
    net = Net(opset=18).conv(3, 6)
    net.add("ReduceMean", net.tensor(np.array([-1, -2])), keepdims=1)
    net.add("Squeeze", net.tensor(np.array([2, 3])))
    yield "mean of pixels, opset 18", net.dense(6, 4)
    net = Net().conv(3, 6).add("GlobalAveragePool").conv(6, 4, 1)
    yield "convolution of one pixel", net.add("Flatten")
    net = Net()
    net.add("Pad", net.tensor(np.array([0, 0, 2, 1, 0, 0, 0, 3])))
    yield "Pad", net.conv(3, 6).head(6)
    yield "Pad of attributes", Net(opset=10).add("Pad", pads=[0, 0, 1, 1, 0, 0, 1, 1]).conv(
        3, 6).head(6)

    nhwc = ("batch", 12, 10, 3)
    net = Net(nhwc).add("Transpose", perm=[0, 3, 1, 2]).conv(3, 6).add("Relu")
    net.add("Transpose", perm=[0, 2, 3, 1]).add("Flatten")
    yield "tf2onnx: channels last", net.dense(480, 4, transB=0).add("Softmax", axis=-1)
    net = Net(nhwc)
    net.add("Mul", net.tensor([2.0, 3.0, 1.5])).add("Add", net.tensor([0.1, -0.2, 0.3]))
    net.add("Transpose", perm=[0, 3, 1, 2]).conv(3, 6, bias=False, auto_pad="SAME_UPPER")
    net.add("Transpose", perm=[0, 2, 3, 1]).add("Add", net.weight(6)).add("Relu")
    x = net.last
    net.add("Transpose", perm=[0, 3, 1, 2]).conv(6, 6, pads=[1, 1, 1, 1])
    net.add("Transpose", perm=[0, 2, 3, 1]).add("Add", x).add("Concat", x, axis=-1)
    net.add("ReduceMean", axes=[1, 2], keepdims=0)
    net.add("MatMul", net.weight(12, 4)).add("Add", net.weight(4))
    yield "tf2onnx: a graph", net.add("Softmax", axis=-1)
    net = Net(nhwc).add("Pad", "pads").add("Transpose", perm=[0, 3, 1, 2])
    net.tensor(np.array([0, 1, 1, 0, 0, 2, 0, 0]), "pads")
    yield "tf2onnx: Pad", net.conv(3, 6, strides=[2, 2]).head(6)
    net = Net().conv(3, 6).add("Transpose", perm=[0, 2, 3, 1])
    net.add("Reshape", net.tensor(np.array([0, -1])))
    yield "flatten of channels last", net.dense(480, 4)
    net = Net(opset=12).conv(3, 6).head(6).add("LogSoftmax")
    yield "LogSoftmax", net
    yield "one sigmoid", Net().conv(3, 6).head(6, 1).add("Sigmoid")
    yield "one logit", Net().conv(3, 6).head(6, 1)
    yield "several sigmoids", Net().conv(3, 6).head(6, 4).add("Sigmoid")
    net = Net(made_for=np.float16).conv(3, 6).add("Relu").head(6)
    yield "float16", net
    yield "one channel", Net((1, 1, 12, 10)).conv(1, 6).head(6)
    net = Net(("batch", 3, 12, 10), opset=22, ir=10).conv(3, 6).norm(6).add("Relu")
    yield "opset 22", net.add("Identity").add("Cast", to=TensorProto.FLOAT).head(6)


def refused():
    """Yields names, networks and a part of the message."""
    yield "dilation", Net().conv(3, 6, dilations=[2, 2]).head(6), "dilation of 2"
    yield "groups", Net().conv(3, 6, 1).conv(6, 6, group=2).head(6), "has 2 groups"
    net = Net().conv(3, 6)
    x = net.last
    net.add("GlobalAveragePool").add("Sigmoid").add("Mul", x)
    yield "gate of channels", net.head(6), "values of one shape"
    net = Net().conv(3, 6).add("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    yield "pads of values below 0", net.head(6), "behind a ReLU"
    yield "opset 7", Net(opset=7).conv(3, 6).head(6), "its opset is 7"
    net = Net().conv(3, 6)
    net.outputs = ["v1", net.head(6).last]
    yield "two outputs", net, "has 2 outputs"
    yield "open channels", Net(("b", "c", 12, 10)).conv(3, 6).head(6), "needs all sizes but"
    net = Net().conv(3, 6)
    yield "resized", net.add("Upsample", net.tensor([1.0, 1, 2, 2])).head(6), "no operation"
    net = Net().add("QuantizeLinear", "s").add("DequantizeLinear", "s").conv(3, 6).head(6)
    net.tensor(np.float32(1), "s")
    yield "quantized", net, "is quantized"
    net = Net().conv(3, 6).add("Reshape", "s").add("Transpose", perm=[0, 2, 1, 3, 4])
    net.tensor(np.array([0, 2, 3, 10, 8]), "s")
    yield "channels shuffled", net.head(6), "moves pixels among channels"
    yield "image as output", Net().conv(3, 6), "Sluice reads classifiers"


def classified(model, outputs):
    """Probabilities of outputs, by the last node of the model."""
    outputs = outputs.reshape(len(outputs), -1).astype(np.float64)
    last = next(n.op_type for n in reversed(model.graph.node)
                if n.output[0] == model.graph.output[0].name)
    if last == "Softmax":
        return outputs
    if last == "LogSoftmax":
        return np.exp(outputs)
    if last == "Sigmoid" and outputs.shape[1] > 1:
        return outputs
    if outputs.shape[1] == 1:
        second = outputs if last == "Sigmoid" else 1 / (1 + np.exp(-outputs))
        return np.concatenate([1 - second, second], 1)
    powers = np.exp(outputs - outputs.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def sizes_of(model):
    return [d.dim_value or d.dim_param for d in model.graph.input[0].type.tensor_type.shape.dim]


def by_runtime(path, model, images, made_for=np.float32):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    shape = sizes_of(model)
    if shape[-1] not in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    step = shape[0] if isinstance(shape[0], int) and shape[0] else len(images)
    feed = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {feed: images[i:i + step].astype(made_for)})[0]
                           for i in range(0, len(images), step)])


def by_sluice(driver, path, images, folder):
    given, out = folder / "images", folder / "out"
    images.astype(np.float32).tofile(given)
    done = subprocess.run([driver, "predict", path, given, out], capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr.strip()
    return np.fromfile(out, np.float32).reshape(len(images), -1), done.stderr.strip()


def main():
    driver, folders = sys.argv[1], [ROOT / "tests/onnx", *map(pathlib.Path, sys.argv[2:])]
    print(f"onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}: differences of "
          f"probabilities, at most {BOUND}\n")
    random = np.random.RandomState(3)
    rows = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def compare(title, path, factor=1.0, made_for=np.float32, bound=BOUND):
            nonlocal rows, failed
            model = onnx.load(path)
            try:
                onnx.checker.check_model(model)
            except onnx.checker.ValidationError as error:
                sys.exit(f"{title}: {error}")
            shape = sizes_of(model)[1:]
            shape = shape if shape[-1] in (1, 3) else [*shape[1:], shape[0]]
            # Noise around a colour of each image: networks cannot tell apart images of plain noise.
            images = 0.7 * random.rand(IMAGES, 1, 1, shape[2]) + 0.3 * random.rand(IMAGES, *shape)
            images = images.astype(np.float32)
            expected = classified(model, by_runtime(path, model, images * factor, made_for))
            actual, said = by_sluice(driver, path, images, folder)
            difference = (np.abs(actual - expected).max()
                          if actual is not None and actual.shape == expected.shape else np.inf)
            spread = expected.std(0).max()
            fine = difference <= bound and spread > 3e-4
            rows, failed = rows + 1, failed + (not fine)
            print(f"{title:<36}{len(model.graph.node):>6}{difference:>11.1e}"
                  f"{spread:>9.1e}  {'ok' if fine else 'FAILED'}")
            if not fine:
                print(f"  {said}")

        print(f"{'network':<36}{'nodes':>6}{'difference':>11}{'spread':>9}")
        for each in folders:
            for path in sorted(each.glob("*.onnx")):
                compare(path.stem, path, 255 if path.stem.startswith("keras-chain") else 1)
        path = folder / "network.onnx"
        for title, net in networks():
            onnx.save(net.model(), path)
            half = net.type == np.float16  # ONNX Runtime rounds there, Sluice does not
            compare(title, path, net.images, net.type, 1e-3 if half else BOUND)
        print()
        for title, net, words in refused():
            onnx.save(net.model(), path)
            actual, said = by_sluice(driver, path, random.rand(IMAGES, 12, 10, 3), folder)
            fine = actual is None and words in said and "\n" not in said
            rows, failed = rows + 1, failed + (not fine)
            print(f"{title:<24}{'refused' if fine else 'FAILED'}: {said.replace(str(folder), '')}")
    print(f"\n{rows - failed} of {rows} as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
