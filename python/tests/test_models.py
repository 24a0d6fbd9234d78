import os
import pickle
import subprocess
import sys
import textwrap
import threading
import time
import warnings

import numpy as np
import pytest
from conftest import colours, small

import sluice
from sluice import _arrays


def test_it_learns_and_tells_its_history(model, data):
    x, y = data
    history = model.fit(x, y, epochs=20, validation_data=colours(60, 1), verbose=0)
    assert sorted(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.epoch == list(range(20))
    assert history.history["val_accuracy"][-1] > 0.95
    assert history.history["loss"][-1] < history.history["loss"][0]
    loss, accuracy = model.evaluate(*colours(60, 1), verbose=0)
    assert accuracy == pytest.approx(history.history["val_accuracy"][-1])
    assert loss == pytest.approx(history.history["val_loss"][-1], rel=1e-4)
    assert model.evaluate(x, y, verbose=0, return_dict=True).keys() == {"loss", "accuracy"}


def test_without_validation_there_are_no_such_figures(model, data):
    history = model.fit(*data, verbose=0)
    assert sorted(history.history) == ["accuracy", "loss"]


def test_the_split_takes_the_last_images(data):
    x, y = data
    split, given = small(), small()
    first = split.fit(x, y, validation_split=0.25, verbose=0).history
    second = given.fit(x[:180], y[:180], validation_data=(x[180:], y[180:]), verbose=0).history
    assert first == second


def test_images_have_weights(data):
    x, y = data
    by_class, by_image = small(), small()
    first = by_class.fit(x, y, class_weight={0: 3.0, 2: 0.0}, verbose=0).history
    weights = np.array([3.0, 1.0, 0.0])[y]
    assert by_image.fit(x, y, sample_weight=weights, verbose=0).history == first
    split, given = small(), small()
    first = split.fit(x, y, sample_weight=weights, validation_split=0.25, verbose=0).history
    second = given.fit(
        x[:180], y[:180], sample_weight=weights[:180], validation_data=(x[180:], y[180:]), verbose=0
    ).history
    assert first == second
    with pytest.raises(sluice.UserError, match="sample_weight has the shape .239,. for 240"):
        small().fit(x, y, sample_weight=weights[1:])
    with pytest.raises(sluice.UserError, match="weights of images must be 0 or more"):
        small().fit(x, y, sample_weight=-weights)
    with pytest.raises(sluice.UserError, match="class_weight has the class 3: there are 0 to 2"):
        small().fit(x, y, class_weight={3: 1.0})


def test_callbacks_are_called_in_keras_s_order(model, data):
    seen = []

    class Recorder(sluice.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append("begin")

        def on_epoch_begin(self, epoch, logs=None):
            seen.append(f"epoch {epoch}")

        def on_train_batch_begin(self, batch, logs=None):
            seen.append(f"batch {batch}")

        def on_train_batch_end(self, batch, logs=None):
            assert logs.keys() == {"loss", "accuracy"}
            seen.append(f"end {batch}")

        def on_epoch_end(self, epoch, logs=None):
            seen.append(f"end of epoch {epoch}")
            self.model.stop_training = epoch == 1

        def on_train_end(self, logs=None):
            seen.append("end")

    model.fit(*data, batch_size=120, epochs=9, verbose=0, callbacks=[Recorder()])
    batches = ["batch 0", "end 0", "batch 1", "end 1"]
    assert seen == [
        "begin",
        *["epoch 0", *batches, "end of epoch 0"],
        *["epoch 1", *batches, "end of epoch 1"],
        "end",
    ]


def test_equal_seeds_give_equal_bits(data):
    weights = []
    for seed in (0, 0, 1):
        model = small(seed)
        model.fit(*data, verbose=0)
        weights.append(model.get_weights())
    assert all((a == b).all() for a, b in zip(weights[0], weights[1]))
    assert any((a != b).any() for a, b in zip(weights[0], weights[2]))


def test_floats_bytes_and_one_hot_rows_are_the_same(data):
    x, y = data
    fits = [
        (x, y),
        (x / 255, np.eye(3)[y]),
        ((x / 255).astype(np.float32), y[:, None].astype(np.uint8)),
    ]
    losses = {small().fit(a, b, verbose=0).history["loss"][0] for a, b in fits}
    assert len(losses) == 1
    model = small()
    assert np.allclose(model.predict(x), model.predict(x / 255), atol=1e-6)
    assert (model.predict(x.astype(np.int64)) == model.predict(x)).all()
    with pytest.warns(UserWarning, match="floats up to 179, .* divide them by 255"):
        assert (model.predict(x.astype(float)) != model.predict(x)).any()


def test_pictures_of_pillow_and_columns_of_pandas_are_taken(data):
    image, pandas = pytest.importorskip("PIL.Image"), pytest.importorskip("pandas")
    x, y = data
    pictures = [image.fromarray(each) for each in x]
    frame = pandas.DataFrame({"label": y, "weight": np.ones(len(y))})
    expected = small().fit(x, y, verbose=0).history
    column = frame["label"]
    assert small().fit(pictures, column, verbose=0).history == expected
    weighted = small().fit(pictures, column, sample_weight=frame["weight"], verbose=0)
    assert weighted.history == expected
    with pytest.raises(sluice.UserError, match="are all images of one size"):
        small().fit([*pictures[:2], pictures[2].resize((9, 9))], y[:3])


def test_floats_go_in_as_they_are(data):
    x, y = data
    scaled = (x / 255 - 0.5).astype(np.float32) * 4
    model = small()
    model.fit(scaled, y, epochs=10, validation_split=0.2, verbose=0)
    assert model.evaluate(scaled, y, verbose=0)[1] > 0.9
    assert (model.predict(scaled.astype(np.float64)) == model.predict(scaled)).all()


def test_a_large_copy_is_warned_of(monkeypatch, data):
    monkeypatch.setattr(_arrays, "_LARGE", 1000)
    x = (data[0] / 255).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small().predict(x)
    others = [x.astype(np.float64), np.asfortranarray(x), data[0][::2], data[0].astype(np.int64)]
    for other in others:
        with pytest.warns(UserWarning, match="of which a copy is made: give uint8 or float32"):
            small().predict(other)


def test_large_arrays_are_not_copied():
    ended = run(
        """
        import resource
        import numpy as np
        import sluice
        x = np.zeros((200_000, 32, 32, 3), np.uint8)
        x += 1  # every page is there
        model = sluice.Sequential([
            sluice.layers.MaxPooling2D(16), sluice.layers.Flatten(),
            sluice.layers.Dense(2, "softmax")])
        model.compile()
        model.fit(x[:1000], np.arange(1000) % 2, verbose=0)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        model.fit(x, np.arange(len(x)) % 2, batch_size=1000, verbose=0)
        model.predict(x)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000)
        """
    )
    assert ended.stdout == "True\n", ended.stderr


def test_predictions_do_not_depend_on_the_batch(model, data):
    x, _ = data
    whole = model.predict(x)
    assert whole.shape == (240, 3) and whole.dtype == np.float32
    assert np.allclose(whole.sum(axis=1), 1, atol=1e-6)
    assert np.allclose(model.predict(x, batch_size=7), whole, atol=1e-6)
    assert np.allclose(model.predict(x[:1])[0], whole[0], atol=1e-6)
    assert np.allclose(model.predict(x[::2]), whole[::2], atol=1e-6), "a view with strides"


def test_weights_go_out_and_in(model, data):
    x, _ = data
    other = small(seed=5)
    assert (other.predict(x) != model.predict(x)).any()
    other.set_weights(model.get_weights())
    assert (other.predict(x) == model.predict(x)).all()
    assert [each.shape for each in model.get_weights()] == [(3, 3, 3, 8), (8,), (8, 3), (3,)]
    assert model.count_params() == 251
    with pytest.raises(sluice.UserError, match="conv2d/kernel has the shape"):
        other.set_weights([np.zeros((3, 3, 8, 3)), *model.get_weights()[1:]])
    assert (other.predict(x) == model.predict(x)).all(), "nothing changed"


def test_it_is_saved_opened_and_pickled(model, data, tmp_path):
    x, y = data
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.safetensors")
    for copy in (
        sluice.load_model(tmp_path / "model.safetensors"),
        pickle.loads(pickle.dumps(model)),
    ):
        assert (copy.predict(x) == model.predict(x)).all()
    with pytest.raises(sluice.UserError, match="must end in .safetensors"):
        model.save(tmp_path / "model.keras")
    with pytest.raises(sluice.UserError, match="absent.safetensors"):
        sluice.load_model(tmp_path / "absent.safetensors")


def test_summary(model):
    lines = []
    model.summary(print_fn=lines.append)
    assert "conv2d (Conv2D)" in lines[0] and "Total params: 251" in lines[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (np.moveaxis(x, -1, 1), y), "channels first: give np.moveaxis"),
        (lambda x, y: (x[:, :, :, 0, None, None], y), "give .images, height, width, channels"),
        (lambda x, y: (x[:0], y[:0]), "it is empty"),
        (lambda x, y: (x * np.float32(np.nan), y), "NaN or infinite"),
        (lambda x, y: (x.astype(int) - 1, y), "whole numbers from -1 to 178: give bytes"),
        (lambda x, y: (x > 5, y), "has the type bool"),
        (lambda x, y: (x, y[:-1]), "has the shape .239,. for 240 images"),
        (lambda x, y: (x, y + 1), "has the classes 1 to 3, and the network has 3 outputs"),
        (lambda x, y: (x, np.eye(4)[y]), "one-hot rows of 4 classes, and the network has 3"),
        (lambda x, y: (x, np.eye(3)[y] * 0.5), "not one-hot"),
        (lambda x, y: (x, y + 0.5), "no whole numbers"),
        (lambda x, y: (x, np.array(["cat"] * 240)), "give class numbers"),
        (lambda x, y: (x[:, :4], y), "it takes images of .8, 8, 3., but these are of .4, 8, 3."),
        (lambda x, y: ([x[0], x[1, :4]], y[:2]), "are all images of one size|inhomogeneous"),
    ],
)
def test_mistakes_are_told(model, data, change, message):
    with pytest.raises(ValueError, match=message):
        model.fit(*change(*data), verbose=0)


def test_numbers_of_numpy_are_numbers(data):
    layers = sluice.layers
    model = sluice.Sequential(
        [layers.Flatten(), layers.Dense(np.int64(3), "softmax")], seed=np.uint32(1)
    )
    model.compile(sluice.optimizers.SGD(np.float32(0.1)))
    history = model.fit(*data, np.int64(16), epochs=np.int32(2), verbose=0)
    assert history.epoch == [0, 1]


def test_mistakes_in_the_network_are_told(data):
    layers = sluice.layers
    with pytest.raises(sluice.UserError, match="not compiled: call compile"):
        sluice.Sequential([layers.Flatten()]).fit(*data)
    with pytest.raises(sluice.UserError, match="is no layer of sluice.layers"):
        sluice.Sequential([object()])
    with pytest.raises(sluice.UserError, match="must be one of adam, adamw, sgd"):
        small().compile(optimizer="rmsprop")
    with pytest.raises(sluice.UserError, match="batch_size=0: must be 1 or more"):
        small().fit(*data, batch_size=0)
    with pytest.raises(sluice.UserError, match="validation_split=1: must be from 0"):
        small().fit(*data, validation_split=1)
    with pytest.raises(sluice.UserError, match="leave it out"):
        small().fit(*data, shuffle=False)
    with pytest.raises(sluice.UserError, match="from_logits=True: end the network"):
        sluice.losses.SparseCategoricalCrossentropy(from_logits=True)
    linear = sluice.Sequential([layers.Flatten(), layers.Dense(3)])
    linear.compile()
    with pytest.raises(sluice.UserError, match="activation='softmax'"):
        linear.fit(*data)
    open_end = sluice.Sequential([layers.Conv2D(3, 3)])
    open_end.compile()
    with pytest.raises(sluice.UserError, match="let it end in Flatten"):
        open_end.fit(*data)
    with pytest.raises(sluice.UserError, match="activation"):
        sluice.Sequential([layers.Dense(3, activation="sofmax")]).predict(data[0])
    with pytest.raises(sluice.UserError, match="not known: begin with sluice.Input"):
        sluice.Sequential([layers.Flatten()]).summary()
    wild = small()
    wild.compile(optimizer=sluice.optimizers.SGD(1e30))
    with pytest.raises(sluice.UserError, match="learning_rate"):
        wild.fit(*data, epochs=20, verbose=0)


def test_every_layer_is_known_to_the_engine():
    layers = sluice.layers
    model = sluice.Sequential(
        [
            sluice.Input((16, 16, 3)),
            layers.Rescaling(2.0, -1.0),
            layers.Normalization([0, 0.1, 0.2], [1, 1, 2]),
            layers.ZeroPadding2D(),
            layers.Conv2D(8, (3, 3), strides=2),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.CondConv2D(8, 3, kernels=4, padding="same"),
            layers.LeakyReLU(0.2),
            layers.MaxPooling2D(),
            layers.AveragePooling2D(2),
            layers.Dropout(0.5),
            layers.Flatten(),
            layers.Dense(4, "relu"),
            layers.Dense(3, "softmax"),
        ]
    )
    assert model.predict(np.zeros((2, 16, 16, 3), np.uint8)).shape == (2, 3)
    names = [layer.name for layer in model.layers]
    assert names[4:7] == ["batch_normalization", "activation", "depthwise_conv2d"]
    assert names[-2:] == ["dense", "dense_1"]


@pytest.mark.parametrize("name", sluice.initializers.NAMES)
def test_kernels_have_keras_s_variance(name):
    layers = sluice.layers

    def kernel_of(seed):
        model = sluice.Sequential(
            [
                sluice.Input((8, 8, 64)),
                layers.Conv2D(128, 3, kernel_initializer=name),
                layers.GlobalAveragePooling2D(),
                layers.Dense(2, "softmax"),
            ],
            seed=seed,
        )
        return model.get_weights()[0]

    kernel = kernel_of(1)
    fans = {"glorot": (1, (9 * 64 + 9 * 128) / 2), "he": (2, 9 * 64), "lecun": (1, 9 * 64)}
    scale, fan = fans[name.split("_")[0]]
    assert kernel.std() == pytest.approx(np.sqrt(scale / fan), rel=0.02)
    assert abs(kernel.mean()) < 0.01 * np.sqrt(scale / fan)
    most = np.sqrt(3) if name.endswith("uniform") else 2 / 0.8796
    assert np.abs(kernel).max() <= most * np.sqrt(scale / fan) * 1.0001
    assert (kernel_of(1) == kernel).all() and (kernel_of(2) != kernel).any()


def test_unknown_initializers_are_told():
    with pytest.raises(sluice.UserError, match="must be one of glorot_uniform, .* he_normal"):
        sluice.layers.Dense(3, kernel_initializer="he")


def test_early_stopping_restores_the_best(data):
    model = small()
    seen = []

    class Keep(sluice.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.get_weights())
            assert self.model.predict(data[0][:2]).shape == (2, 3), "a callback may predict"

    losses = iter([3.0, 1.0, 2.0, 2.0, 2.0])
    stop = sluice.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    value = stop._value
    stop._value = lambda logs: value(logs) and next(losses)
    history = model.fit(*data, epochs=9, validation_split=0.2, verbose=0, callbacks=[Keep(), stop])
    assert history.epoch == [0, 1, 2, 3]
    assert all((a == b).all() for a, b in zip(model.get_weights(), seen[1]))
    with pytest.raises(sluice.UserError, match="monitors 'val_loss', and there are loss, accuracy"):
        model.fit(*data, verbose=0, callbacks=[sluice.callbacks.EarlyStopping()])


def test_checkpoints_keep_the_best(model, data, tmp_path):
    keep = sluice.callbacks.ModelCheckpoint(
        tmp_path / "{epoch}.safetensors", monitor="accuracy", save_best_only=True
    )
    history = model.fit(*data, epochs=5, verbose=0, callbacks=[keep])
    accuracies = history.history["accuracy"]
    better = [i + 1 for i, a in enumerate(accuracies) if a > max([0, *accuracies[:i]])]
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"{i}.safetensors" for i in better]


def test_threads_may_predict(model, data):
    x, _ = data
    expected = model.predict(x)
    results = [None] * 4

    def work(i):
        results[i] = model.predict(x)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((each == expected).all() for each in results)


def run(code, **options):
    folder = os.path.dirname(__file__)
    return subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {folder!r})\n" + textwrap.dedent(code),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        **options,
    )


def test_a_fork_after_a_prediction_is_told_and_does_not_hang():
    ended = run(
        """
        import os
        from conftest import colours, small
        x, y = colours(30)
        model = small()
        model.predict(x)
        child = os.fork()
        if child == 0:
            try:
                model.predict(x)
            except ValueError as error:
                print(error, flush=True)
                os._exit(7)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """
    )
    assert "spawn" in ended.stdout and "loky" in ended.stdout, ended.stderr
    assert ended.stdout.endswith("7\n")


def test_ctrl_c_stops_a_fit_and_leaves_the_process_healthy():
    ended = run(
        """
        import os, signal, threading
        from conftest import colours, small
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background has none
        x, y = colours(3000)
        model = small()
        before = model.get_weights()
        threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            model.fit(x, y, epochs=100000, verbose=0)
        except KeyboardInterrupt:
            print("stopped")
        assert any((a != b).any() for a, b in zip(before, model.get_weights()))
        model.fit(x, y, verbose=0)
        print(model.predict(x).shape)
        """
    )
    assert ended.stdout == "stopped\n(3000, 3)\n", ended.stderr


def test_importing_is_quick_and_needs_numpy_alone():
    def seconds(code):
        begin = time.monotonic()
        run(code)
        return time.monotonic() - begin

    ended = run("import sys, sluice; print({'sklearn', 'tqdm', 'matplotlib'} & set(sys.modules))")
    assert ended.stdout == "set()\n", ended.stderr
    fastest = min(seconds("import sluice") - seconds("import numpy") for _ in range(5))
    assert fastest < 0.1
