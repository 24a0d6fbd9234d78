"""The cases of imports.py: models as people publish them, and what Sluice must answer."""

import dataclasses
import typing

import numpy as np

CLASSES10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def softmax(values):
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def two_classes(probabilities):
    return np.concatenate([1 - probabilities, probabilities], axis=1)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


@dataclasses.dataclass
class Case:
    name: str
    build: typing.Callable  # of the module keras or tf_keras; returns a model
    keras: int = 3
    suffixes: tuple = (".keras",)
    options: tuple = ()
    says: tuple = ()  # pieces of what the import prints
    refused: bool = False
    prepare: typing.Callable = lambda images: images / 255  # what the model was trained on
    meaning: typing.Callable = lambda outputs: outputs  # probabilities from Keras's outputs
    change: typing.Callable | None = None  # of the model before it is saved
    edit: typing.Callable | None = None  # of the file
    limit: float = 0


def as_pixels(images):
    return images


def chain(*layers, shape=(32, 32, 3)):
    """Returns a function that makes a Sequential of layers, given as functions of keras.layers."""
    return lambda k: k.Sequential([k.layers.Input(shape), *(layer(k.layers) for layer in layers)])


def graph(body, shape=(32, 32, 3), **options):
    """Returns a function that makes a Functional model; body takes the module and the input."""
    def build(k):
        x = k.layers.Input(shape)
        return k.Model(x, body(k, x), **options)
    return build


def conv(filters, kernel=3, **options):
    options = {"activation": "relu", **options}
    return lambda l: l.Conv2D(filters, kernel, **options)


def dense(units, activation=None, **options):
    return lambda l: l.Dense(units, activation=activation, **options)


def layer(kind, *arguments, **options):
    return lambda l: getattr(l, kind)(*arguments, **options)


def pool(*arguments, **options):
    return layer("MaxPooling2D", *arguments, **options)


FLATTEN = layer("Flatten")
OUT = dense(10, "softmax")
SMALL = (conv(4), pool(), FLATTEN, OUT)  # the shortest network with everything


def tutorial(last):
    return (conv(32), pool(), conv(64), pool(), conv(64), FLATTEN, dense(64, "relu"), last)


def vgg_like(filters=(8, 16, 32)):
    layers = []
    for number in filters:
        for _ in range(2):
            layers += [conv(number, padding="same", activation=None),
                       layer("Activation", "relu"), layer("BatchNormalization")]
        layers += [pool(), layer("Dropout", 0.2)]
    return (*layers, FLATTEN, dense(128), layer("Activation", "relu"), layer("BatchNormalization"),
            layer("Dropout", 0.5), dense(10), layer("Activation", "softmax"))


# Mixtures: parts are small networks, and `formula` joins their outputs.


def part(k, name, outputs):
    layers = k.layers
    if name.startswith("importance"):
        return k.Sequential([layers.Input((8, 8, 3)), layers.Flatten(),
                             layers.Dense(2 * outputs, activation="softmax"),
                             layers.Reshape((outputs, 2))], name=name)
    return k.Sequential([layers.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu"),
                         layers.Flatten(), layers.Dense(outputs, activation="softmax")], name=name)


NAMES = ("baseline", "gate", "expert-artificial", "expert-natural", "importance-artificial",
         "importance-natural")


def mixture(formula, around=lambda k, x: x, names=NAMES):
    def build(k):
        x = k.layers.Input((8, 8, 3))
        given = around(k, x)
        parts = [part(k, name, 2 if standard == "gate" else 10)
                 for name, standard in zip(names, NAMES)]
        return k.Model(x, formula(k, *(one(given) for one in parts)))
    return build


def sharpen(model):
    """Makes the gate send pictures to both groups."""
    gate = model.get_layer("gate")
    kernel, bias = gate.get_weights()[-2:]
    kernel[:, 1] = -kernel[:, 0]
    gate.set_weights([*gate.get_weights()[:-2], kernel, bias * 0])


def where(k, *arguments):
    import tensorflow
    return tensorflow.where(*arguments) if "tf_keras" in k.__name__ else k.ops.where(*arguments)


def weigh(b, e, i):
    return b * i[:, :, 0] + e * i[:, :, 1]


def lab(k, b, g, ea, en, ia, i_n):
    return where(k, g[:, :1] > g[:, 1:], weigh(b, ea, ia), weigh(b, en, i_n))


def lab_argmax(k, b, g, ea, en, ia, i_n):
    first = k.ops.expand_dims(k.ops.equal(k.ops.argmax(g, axis=-1), 0), -1)
    return where(k, first, weigh(b, ea, ia), weigh(b, en, i_n))


def lab_layers(k, b, g, ea, en, ia, i_n):
    """By layers alone, and a slice kept as a column."""
    l = k.layers
    def one(e, i):
        return l.Add()([l.Multiply()([b, i[:, :, 0]]), l.Multiply()([e, i[:, :, 1]])])
    return where(k, g[:, 0:1] > g[:, 1:2], one(ea, ia), one(en, i_n))


def lab_mask(k, b, g, ea, en, ia, i_n):
    first = k.ops.cast(g[:, 0] > g[:, 1], "float32")[:, None]
    return first * weigh(b, ea, ia) + (1.0 - first) * weigh(b, en, i_n)


def lab_stacked(k, b, g, ea, en, ia, i_n):
    def one(e, i):
        return k.ops.sum(k.ops.stack([b, e], axis=-1) * i, axis=-1)
    return where(k, k.ops.greater(g[:, :1], g[:, 1:]), one(ea, ia), one(en, i_n))


def lab_lambda(k, b, g, ea, en, ia, i_n):
    l = k.layers
    one = l.Lambda(lambda p: weigh(*p), output_shape=(10,))
    other = l.Lambda(lambda p: weigh(*p), output_shape=(10,))
    # A module in a closure could not be saved.
    choose = l.Lambda(lambda p: __import__("tensorflow").where(p[0][:, :1] > p[0][:, 1:], p[1], p[2]),
                      output_shape=(10,))
    return choose([g, one([b, ea, ia]), other([b, en, i_n])])


def soft_gate(k, b, g, ea, en, ia, i_n):
    return g[:, :1] * weigh(b, ea, ia) + g[:, 1:] * weigh(b, en, i_n)


def reversed_gate(k, b, g, ea, en, ia, i_n):
    return where(k, g[:, :1] < g[:, 1:], weigh(b, ea, ia), weigh(b, en, i_n))


def natural_first(k, b, g, ea, en, ia, i_n):
    return where(k, g[:, :1] > g[:, 1:], weigh(b, en, i_n), weigh(b, ea, ia))


def importances_swapped(k, b, g, ea, en, ia, i_n):
    return where(k, g[:, :1] > g[:, 1:], weigh(b, ea, i_n), weigh(b, en, ia))


def columns_swapped(k, b, g, ea, en, ia, i_n):
    return where(k, g[:, :1] > g[:, 1:], weigh(ea, b, ia), weigh(en, b, i_n))


def no_importance(k, b, g, ea, en, ia, i_n):
    zero = 0.0 * (ia[:, :, 0] + i_n[:, :, 0])
    return where(k, g[:, :1] > g[:, 1:], ea, en) + 0.0 * b + zero


def threshold(k, b, g, ea, en, ia, i_n):
    return where(k, g[:, :1] > 0.7, weigh(b, ea, ia), weigh(b, en, i_n))


def one_importance(k, b, g, ea, en, ia, i_n):
    """The weight of the baseline is what the expert's leaves."""
    def one(e, i):
        return b * (1.0 - i[:, :, 1]) + e * i[:, :, 1]
    return where(k, g[:, :1] > g[:, 1:], one(ea, ia), one(en, i_n))


def scaled(k, b, g, ea, en, ia, i_n):
    return 0.5 * lab(k, b, g, ea, en, ia, i_n)


def subclassed(k):
    class Net(k.Model):
        def __init__(self, **options):
            super().__init__(**options)
            self.first = k.layers.Conv2D(4, 3, activation="relu")
            self.flat = k.layers.Flatten()
            self.last = k.layers.Dense(10, activation="softmax")

        def call(self, x):
            return self.last(self.flat(self.first(x)))

    model = Net()
    model(np.zeros((1, 8, 8, 3), np.float32))
    return model


def nan_weight(model):
    weights = model.get_weights()
    weights[-1][0] = np.nan
    model.set_weights(weights)


def adapted(*layers, axis=-1, shape=(32, 32, 3), scale=255.0):
    def build(k):
        norm = k.layers.Normalization(axis=axis)
        data = np.random.default_rng(5).random((64, *shape)).astype(np.float32)
        norm.adapt(data * np.float32(scale) * np.linspace(0.4, 1, shape[-1], dtype=np.float32))
        return k.Sequential([k.layers.Input(shape), norm, *(one(k.layers) for one in layers)])
    return build


def nested(k):
    l = k.layers
    features = k.Sequential([l.Input((32, 32, 3)), l.Conv2D(4, 3, activation="relu"),
                             l.MaxPooling2D()], name="features")
    head = k.Sequential([l.Input((15, 15, 4)), l.Flatten(), l.Dense(10, activation="softmax")],
                        name="head")
    return k.Sequential([l.Input((32, 32, 3)), features, head])


def nested_twice(k):
    l = k.layers
    inner = k.Sequential([l.Input((32, 32, 3)), l.Conv2D(4, 3), l.ReLU()], name="inner")
    outer = k.Sequential([l.Input((32, 32, 3)), inner, l.MaxPooling2D(4)], name="outer")
    x = l.Input((32, 32, 3))
    y = l.Dense(10, activation="softmax")(l.Flatten()(outer(x)))
    return k.Model(x, y)


def two_towers(k):
    l = k.layers
    def tower(kernel, name):
        return k.Sequential([l.Input((32, 32, 3)), l.Conv2D(4, kernel, padding="same"), l.ReLU(),
                             l.GlobalAveragePooling2D()], name=name)
    x = l.Input((32, 32, 3))
    both = l.Concatenate()([tower(3, "near")(x), tower(5, "far")(x)])
    return k.Model(x, l.Dense(10, activation="softmax")(both))


def shared_layer(k):
    l = k.layers
    x = l.Input((32, 32, 3))
    one = l.Conv2D(3, 3, padding="same")
    return k.Model(x, l.Dense(10, activation="softmax")(l.Flatten()(one(one(x)))))


def two_outputs(k):
    l = k.layers
    x = l.Input((32, 32, 3))
    y = l.Flatten()(x)
    return k.Model(x, [l.Dense(10, activation="softmax", name="a")(y),
                       l.Dense(3, activation="softmax", name="b")(y)])


def two_inputs(k):
    l = k.layers
    x, y = l.Input((8, 8, 3)), l.Input((8, 8, 3))
    return k.Model([x, y], l.Dense(10, activation="softmax")(l.Flatten()(l.Add()([x, y]))))


def dictionary(k):
    l = k.layers
    x = l.Input((32, 32, 3))
    return k.Model(x, {"probabilities": l.Dense(10, activation="softmax")(l.Flatten()(x))})


def typed(policy):
    def build(k):
        k.config.set_dtype_policy(policy)
        try:
            return chain(*SMALL)(k)
        finally:
            k.config.set_dtype_policy("float32")
    return build


def quantized(k):
    model = chain(*SMALL)(k)
    model.quantize("int8")
    return model


def residual(k, x):
    l = k.layers
    y = l.Conv2D(4, 3, padding="same", activation="relu")(x)
    z = l.BatchNormalization()(l.Conv2D(4, 3, padding="same")(y))
    z = l.Activation("relu")(y + z)
    return l.Dense(10, activation="softmax")(l.GlobalAveragePooling2D()(z))


def ends(k, x):
    return k.layers.Dense(10, activation="softmax")(k.layers.Flatten()(x))


def parts_apart(missing=()):
    """Six models, each in a file of its own."""
    def build(k):
        model = mixture(lab)(k)

        def write(file):
            suffix = file[file.rindex("."):]
            arguments = []
            for name in NAMES:
                path = file.replace("baseline", name)
                model.get_layer(name).save(path)
                if name not in missing:
                    arguments.append(path)
            return arguments

        model.write = write
        return model
    return build


def mixtures():
    for name, formula in (("where", lab), ("layers", lab_layers)):
        for version in (3, 2):
            yield Case(f"1 mixture by {name}", mixture(formula), version, (".keras", ".h5"),
                       change=sharpen)
    for name, formula in (("argmax", lab_argmax), ("mask", lab_mask), ("stack and sum", lab_stacked)):
        yield Case(f"1 mixture by {name}", mixture(formula), change=sharpen)
    for version, suffix in ((3, ".keras"), (3, ".h5"), (2, ".h5")):
        yield Case("1 mixture by Lambda", mixture(lab_lambda), version, (suffix,), change=sharpen,
                   says=("taken for the lab's",))
    for version in (3, 2):
        for formula in (soft_gate, reversed_gate, natural_first, importances_swapped,
                        columns_swapped, no_importance, threshold, one_importance, scaled):
            yield Case(f"1 {formula.__name__}", mixture(formula), version,
                       (".keras",) if version == 3 else (".h5",), refused=True,
                       says=("not the lab's formula",))
    yield Case("1 Rescaling before the parts",
               mixture(lab, lambda k, x: k.layers.Rescaling(1 / 255)(x)), change=sharpen,
               prepare=as_pixels)
    yield Case("1 another Rescaling before the parts",
               mixture(lab, lambda k, x: k.layers.Rescaling(2.0)(x)), refused=True,
               says=("it changes the images",))
    yield Case("17 parts apart", parts_apart(), 3, (".keras", ".h5"), change=sharpen)
    yield Case("17 parts apart, one missing", parts_apart(missing=("gate",)), refused=True,
               says=("give its other parts too: gate",))


def outputs():
    logits = dict(meaning=softmax, says=("softmax",))
    for version in (3, 2):
        suffixes = (".keras", ".h5")
        yield Case("0 tutorial, softmax", chain(*tutorial(OUT)), version, suffixes)
        yield Case("0 VGG-like", chain(*vgg_like()), version, suffixes)
        yield Case("2 tutorial, logits", chain(*tutorial(dense(10))), version, suffixes, **logits)
    yield Case("2 Dense, then Activation linear",
               chain(conv(4), FLATTEN, dense(10), layer("Activation", "linear")), **logits)
    yield Case("2 logits of a global pool",
               chain(conv(8), conv(10, 1, activation=None), layer("GlobalAveragePooling2D")), **logits)
    yield Case("2 logits after a batch normalisation",
               chain(conv(4), FLATTEN, dense(10), layer("BatchNormalization")), **logits)
    yield Case("2 Softmax as a layer", chain(conv(4), FLATTEN, dense(10), layer("Softmax")))
    yield Case("2 Softmax as a layer", chain(conv(4), FLATTEN, dense(10), layer("Softmax")), 2,
               (".h5",))
    yield Case("2 softmax by an operation", graph(lambda k, x: k.ops.softmax(
        k.layers.Dense(10)(k.layers.Flatten()(x)))))
    two = dict(options=("--classes", "cat,dog"), says=("0 cat", "1 dog"))
    yield Case("2 one sigmoid unit", chain(conv(4), FLATTEN, dense(1, "sigmoid")), 3,
               (".keras", ".h5"), meaning=two_classes, **two)
    yield Case("2 one sigmoid unit, as a layer",
               chain(conv(4), FLATTEN, dense(1), layer("Activation", "sigmoid")), 2, (".h5",),
               meaning=two_classes, **two)
    yield Case("2 one logit", chain(conv(4), FLATTEN, dense(1)),
               meaning=lambda z: two_classes(sigmoid(z)), **two)
    yield Case("2 two units", chain(conv(4), FLATTEN, dense(2, "softmax")), **two)
    yield Case("2 ten sigmoid units", chain(conv(4), FLATTEN, dense(10, "sigmoid")),
               says=("sigmoid",))
    yield Case("2 one softmax unit", chain(conv(4), FLATTEN, dense(1, "softmax")), refused=True,
               says=("always 1",), options=("--classes", "cat,dog"))
    yield Case("2 relu at the end", chain(conv(4), FLATTEN, dense(10, "relu")), refused=True,
               says=("neither probabilities nor logits",))
    yield Case("2 two classes without names", chain(conv(4), FLATTEN, dense(2, "softmax")),
               refused=True, says=("--classes",))
    yield Case("4 classes in another order", chain(*SMALL),
               options=("--classes", "truck,ship,horse,frog,dog,deer,cat,bird,automobile,airplane"),
               says=("0 truck", "9 airplane"))
    yield Case("4 Fashion-MNIST's names", chain(*SMALL, shape=(28, 28, 1)),
               options=("--classes", "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,"
                        "Bag,Ankle boot"), says=("0 T-shirt/top", "9 Ankle boot"))
    yield Case("4 a class twice", chain(*SMALL), options=("--classes", "a,a,b,c,d,e,f,g,h,i"),
               refused=True, says=("'a' twice",))
    yield Case("4 too few classes", chain(*SMALL), options=("--classes", "a,b,c"), refused=True,
               says=("output (10)",))
    yield Case("5 a hundred classes", chain(conv(4), FLATTEN, dense(100, "softmax")),
               options=("--classes", ",".join(f"class {i}" for i in range(100))),
               says=("99 class 99",))


def inputs():
    yield Case("6 (28, 28, 1)", chain(conv(32), pool(), layer("Dropout", 0.25), conv(64), pool(), FLATTEN,
                                      dense(128, "relu"), OUT, shape=(28, 28, 1)), 3,
               (".keras", ".h5"))
    yield Case("6 (28, 28)", chain(FLATTEN, dense(128, "relu"), OUT, shape=(28, 28)), 3,
               (".keras", ".h5"), says=("28",))
    yield Case("6 (784)", chain(dense(128, "relu"), layer("Dropout", 0.2), OUT, shape=(784,)), 3,
               (".keras", ".h5"), says=("taken for",))
    yield Case("6 (3072)", chain(dense(64, "relu"), OUT, shape=(3072,)), 2, (".h5",),
               says=("taken for",))
    yield Case("6 (784), Reshape first", chain(layer("Reshape", (28, 28, 1)), *SMALL, shape=(784,)),
               says=("taken for",))
    yield Case("6 (28, 28), Reshape first", chain(layer("Reshape", (28, 28, 1)), *SMALL,
                                                  shape=(28, 28)))
    yield Case("6 (100) features", chain(dense(8, "relu"), OUT, shape=(50,)), refused=True,
               says=("no picture",))
    yield Case("6 (32, 32, 4)", chain(*SMALL, shape=(32, 32, 4)), refused=True, says=("(32, 32, 4)",))
    yield Case("6 (10, 32, 32, 3)", chain(FLATTEN, OUT, shape=(10, 32, 32, 3)), refused=True)
    yield Case("11 (None, None, 3)", chain(conv(8), layer("GlobalAveragePooling2D"), OUT,
                                           shape=(None, None, 3)), refused=True, says=("None",))
    yield Case("6 two inputs", two_inputs, refused=True)
    yield Case("6 (48, 64, 3)", chain(conv(8, strides=2), layer("GlobalAveragePooling2D"), OUT,
                                      shape=(48, 64, 3)))
    # Preprocessing in the file.
    scale = layer("Rescaling", 1 / 255)
    for version in (3, 2):
        suffixes = (".keras", ".h5")
        yield Case("8 Rescaling(1/255)", chain(scale, *SMALL), version, suffixes, prepare=as_pixels)
        yield Case("8 Rescaling(1/255) twice", chain(scale, scale, *SMALL), version, suffixes,
                   prepare=as_pixels)
        yield Case("8 Rescaling(1/127.5, -1)", chain(layer("Rescaling", 1 / 127.5, -1), *SMALL),
                   version, suffixes, prepare=as_pixels)
        yield Case("8 x / 255.", graph(lambda k, x: ends(k, x / 255.)), version, suffixes,
                   prepare=as_pixels)
        yield Case("8 x / 127.5 - 1", graph(lambda k, x: ends(k, x / 127.5 - 1)), version, suffixes,
                   prepare=as_pixels)
        yield Case("8 (x - 0.5) * 2", graph(lambda k, x: ends(k, (x - 0.5) * 2.0)), version, suffixes)
        yield Case("8 1 - x", graph(lambda k, x: ends(k, 1.0 - x)), version, suffixes)
        yield Case("8 Normalization, adapted to 0..255", adapted(*SMALL), version, suffixes,
                   prepare=as_pixels)
        yield Case("8 Normalization, adapted to 0..1", adapted(*SMALL, scale=1.0), version, suffixes)
        yield Case("8 Normalization with settings of 0..255",
                   chain(layer("Normalization", mean=[125.3, 123.0, 113.9],
                               variance=[3969.0, 3844.0, 4448.9]), *SMALL), version, suffixes,
                   prepare=as_pixels)
        yield Case("8 Normalization with settings of 0..1",
                   chain(layer("Normalization", mean=[0.49, 0.48, 0.45],
                               variance=[0.061, 0.059, 0.068]), *SMALL), version, suffixes)
    yield Case("8 Rescaling, then Normalization adapted",
               chain(scale, layer("Normalization", mean=[0.49, 0.48, 0.45],
                                  variance=[0.061, 0.059, 0.068]), *SMALL), prepare=as_pixels)
    yield Case("8 Normalization adapted as a whole", adapted(*SMALL, axis=None), prepare=as_pixels)
    yield Case("8 Normalization of each pixel", adapted(*SMALL, axis=(1, 2, 3)), refused=True)
    yield Case("8 flip, then Rescaling", chain(layer("RandomFlip", "horizontal"), scale, *SMALL),
               prepare=as_pixels, says=("RandomFlip",))
    # Preprocessing outside of the file.
    yield Case("8 --input 0..255", chain(*SMALL), options=("--input", "0..255"), prepare=as_pixels)
    yield Case("8 --input -1..1", chain(*SMALL), options=("--input=-1..1",),
               prepare=lambda x: x / 127.5 - 1)
    yield Case("8 --input 0..1", chain(*SMALL), options=("--input", "0..1"))
    yield Case("8 --input with Rescaling(1/255)", chain(scale, *SMALL),
               options=("--input", "0..255"), prepare=as_pixels)
    yield Case("8 --mean and --deviation", chain(*SMALL),
               options=("--mean", "0.4914,0.4822,0.4465", "--deviation", "0.247,0.2435,0.2616"),
               prepare=lambda x: (x / 255 - [0.4914, 0.4822, 0.4465]) / [0.247, 0.2435, 0.2616])
    yield Case("8 --input, --mean and --deviation", chain(*SMALL),
               options=("--input", "0..255", "--mean", "120.707", "--deviation", "64.15"),
               prepare=lambda x: (x - 120.707) / 64.15)
    yield Case("8 --deviation 0", chain(*SMALL), options=("--deviation", "0"), refused=True)
    yield Case("8 --mean of two", chain(*SMALL), options=("--mean", "0.1,0.2"), refused=True)


def others():
    yield Case("3 name with a slash", chain(conv(4, name="conv1/1"), FLATTEN, OUT), 2, (".h5",),
               says=("'conv1_1'",))
    yield Case("3 name of 200 bytes", chain(conv(4, name="c" * 200), FLATTEN, OUT), 3,
               (".keras", ".h5"))
    yield Case("3 names with dots and dashes", chain(conv(4, name="block1.conv-1"), FLATTEN, OUT))
    for activation, kind in (("tanh", "MaxPooling2D"), ("relu", "AveragePooling2D"),
                             ("sigmoid", "MaxPooling2D")):
        def shapes(k, activation=activation, kind=kind):
            l = k.layers
            layers = []
            for filters in (32, 64):
                for _ in range(2):
                    layers.append(l.Conv2D(filters, 3, padding="same", activation=activation))
                layers.append(getattr(l, kind)(2))
            return k.Sequential([l.Input((32, 32, 3)), *layers, l.Flatten(),
                                 l.Dense(512, activation="relu"), l.Dense(10, activation="softmax")])
        yield Case(f"7 weights alone, {activation}, {kind}", shapes, 3, (".weights.h5",), limit=2,
                   says=("taken for the lab's",))
    for version in (3, 2):
        yield Case("9 NaN", chain(*SMALL), version, (".keras", ".h5"), change=nan_weight,
                   refused=True, says=("NaN",))
        yield Case("10 nested", nested, version, (".keras", ".h5"))
        yield Case("10 nested twice", nested_twice, version, (".keras", ".h5"))
        yield Case("10 two nested towers", two_towers, version, (".keras", ".h5"))
        yield Case("11 dictionary", dictionary, version, (".keras",))
    yield Case("10 one layer twice", shared_layer, refused=True, says=("2 calls",))
    yield Case("11 two outputs", two_outputs, refused=True, says=("2 outputs",))
    yield Case("11 subclassed", subclassed, refused=True, says=("subclassed",))
    yield Case("11 subclassed", subclassed, 2, (".weights.h5",), refused=True)
    yield Case("11 quantized", quantized, refused=True, says=("quantized",), change=lambda m: None)
    for policy in ("mixed_float16", "float16", "mixed_bfloat16", "bfloat16"):
        yield Case(f"11 {policy}", typed(policy), limit=3e-2, says=("float",))
    yield Case("11 LSTM", chain(layer("Reshape", (32, 96)), layer("LSTM", 4), OUT), refused=True,
               says=("LSTM",))
    yield Case("11 Lambda", chain(layer("Lambda", lambda x: x * 2, output_shape=(32, 32, 3)),
                                  *SMALL), refused=True, says=("Lambda",))
    yield Case("12 layers of training",
               chain(layer("RandomFlip", "horizontal"), layer("RandomRotation", 0.1),
                     layer("Resizing", 32, 32), layer("GaussianNoise", 0.1), conv(4),
                     layer("SpatialDropout2D", 0.2), FLATTEN, dense(10), layer("Dropout", 0.3),
                     layer("Activation", "softmax")), says=("RandomFlip", "SpatialDropout2D"))
    yield Case("12 layers of training",
               chain(layer("GaussianNoise", 0.1), conv(4), layer("SpatialDropout2D", 0.2),
                     layer("GaussianDropout", 0.2), layer("AlphaDropout", 0.2),
                     layer("ActivityRegularization", 0.1), FLATTEN, dense(10),
                     layer("Dropout", 0.3), layer("Activation", "softmax")), 2, (".h5", ".keras"),
               says=("GaussianNoise",))
    yield Case("12 Resizing to another size", chain(layer("Resizing", 16, 16), *SMALL),
               refused=True, says=("Resizing",))
    for version in (3, 2):
        suffixes = (".keras", ".h5")
        yield Case("residual by +", graph(residual), version, suffixes)
        yield Case("activations as layers",
                   chain(conv(4, activation=None), layer("LeakyReLU"), conv(4, activation="elu"),
                         conv(4, activation=None), layer("ELU", 0.7), layer("ReLU", 6.0),
                         conv(4, activation="selu"), conv(4, activation="swish"), FLATTEN, OUT),
                   version, suffixes)
        yield Case("rectangles and strides",
                   chain(conv(4, (3, 5), strides=(1, 2)), pool((2, 3), strides=(1, 2), padding="same"),
                         layer("AveragePooling2D", 3, 2, "same"), layer("ZeroPadding2D", ((1, 0), (2, 1))),
                         conv(4, 2, use_bias=False), FLATTEN, OUT), version, suffixes)
        yield Case("depthwise", chain(layer("DepthwiseConv2D", 3, padding="same"), conv(4, 1),
                                      layer("GlobalMaxPooling2D"), OUT), version, suffixes)
        yield Case("batch normalisation without scale",
                   chain(conv(4), layer("BatchNormalization", scale=False, epsilon=1e-5), FLATTEN,
                         layer("BatchNormalization", center=False), OUT), version, suffixes)
        yield Case("input shape at the first layer",
                   lambda k: k.Sequential([k.layers.Conv2D(4, 3, input_shape=(32, 32, 3)),
                                           k.layers.Flatten(), k.layers.Dense(10, activation="softmax")]),
                   version, suffixes)
    yield Case("gelu, mish, silu, hard_sigmoid",
               chain(conv(4, activation="gelu"), conv(4, activation="mish"),
                     conv(4, activation="silu"), conv(4, activation="hard_sigmoid"),
                     conv(4, activation="leaky_relu"), conv(4, activation="hard_silu"), FLATTEN, OUT))
    yield Case("hard_sigmoid of Keras 2", chain(conv(4, activation="hard_sigmoid"), FLATTEN, OUT), 2,
               (".h5",), refused=True, says=("hard_sigmoid",))
    yield Case("Concatenate, Multiply, Average",
               graph(lambda k, x: k.layers.Dense(10, activation="softmax")(
                   k.layers.Concatenate()([k.layers.GlobalAveragePooling2D()(x),
                                           k.layers.GlobalMaxPooling2D()(k.layers.Multiply()([
                                               k.layers.Conv2D(3, 1)(x), x]))]))))
    yield Case("squeeze and excitation",
               graph(lambda k, x: k.layers.Dense(10, activation="softmax")(
                   k.layers.GlobalAveragePooling2D()(k.ops.relu(k.layers.Conv2D(8, 3)(x))))))
    yield Case("SeparableConv2D", chain(layer("SeparableConv2D", 8, 3), FLATTEN, OUT), refused=True,
               says=("SeparableConv2D",))
    yield Case("compiled and trained", chain(*SMALL), 3, (".keras", ".h5"), change=train)
    yield Case("compiled and trained", chain(*SMALL), 2, (".keras", ".h5"), change=train)
    yield Case("dilation", chain(conv(4, dilation_rate=2), FLATTEN, OUT), refused=True,
               says=("dilation_rate",))
    yield Case("channels_first", chain(layer("Permute", (3, 1, 2)),
                                       layer("MaxPooling2D", data_format="channels_first"),
                                       FLATTEN, OUT), refused=True)


def train(model):
    model.compile("adam", "categorical_crossentropy")
    model.train_on_batch(np.random.default_rng(2).random((8, *model.input_shape[1:])),
                         np.eye(10)[np.arange(8)])


def cases():
    for group in (mixtures, outputs, inputs, others):
        yield from group()
