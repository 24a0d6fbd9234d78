import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest
from conftest import quarters, small

import sluice

NAMES = ["dark-a", "dark-b", "light-a", "light-b"]
GROUPS = {"dark": ["dark-a", "dark-b"], "light": [2, 3]}


@pytest.fixture(scope="module")
def parts():
    """Baseline, experts and gate, trained."""
    x, y = quarters(400)
    baseline = small(outputs=4, input_shape=(8, 8, 1))
    baseline.fit(x, y, epochs=3, verbose=0)
    baseline.class_names = NAMES
    experts = {}
    for group, classes in {"dark": [0, 1], "light": [2, 3]}.items():
        experts[group] = small(outputs=4, input_shape=(8, 8, 1))
        of_group = np.isin(y, classes)
        experts[group].fit(x[of_group], y[of_group], epochs=3, verbose=0)
    gate = small(outputs=2, input_shape=(8, 8, 1))
    gate.fit(x, sluice.group_numbers(y, GROUPS, NAMES), epochs=5, verbose=0)
    return baseline, experts, gate


@pytest.fixture
def mixture(parts):
    return sluice.Mixture(*parts, GROUPS)


def test_it_is_trained_as_a_whole(parts, mixture):
    x, y = quarters(400)
    baseline, _, gate = parts
    before, gate_before = baseline.get_weights(), gate.get_weights()
    mixture.compile()
    stop = sluice.callbacks.EarlyStopping("loss", restore_best_weights=True)
    history = mixture.fit(x, y, epochs=5, verbose=0, validation_split=0.1, callbacks=[stop])
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert mixture.evaluate(*quarters(100, 1), verbose=0)[1] > 0.9
    assert all((a == b).all() for a, b in zip(before, baseline.get_weights())), "a copy"
    names = [layer for layer, _, _ in mixture._built().tensors()]
    assert names[0] == "baseline/conv2d" and "importance-light/flatten" not in names
    its_gate = [
        each for name, each in zip(names, mixture.get_weights()) if name.startswith("gate/")
    ]
    assert all((a == b).all() for a, b in zip(its_gate, gate_before)), "the gate stays"


def test_it_is_saved_opened_and_pickled(mixture, tmp_path):
    x, _ = quarters(20)
    assert mixture.groups == {"dark": ["dark-a", "dark-b"], "light": ["light-a", "light-b"]}
    mixture.save(tmp_path / "mixture.safetensors")
    for copy in (
        sluice.load_model(tmp_path / "mixture.safetensors"),
        pickle.loads(pickle.dumps(mixture)),
    ):
        assert (copy.predict(x) == mixture.predict(x)).all()
        assert copy.groups == mixture.groups and copy.class_names == NAMES


def test_the_verdict(parts, mixture):
    x, y = quarters(100, 1)
    baseline = parts[0]
    verdict = sluice.compare(baseline, mixture, x, y, controls={"again": baseline})
    assert verdict.figures["mixture"]["accuracy"] == mixture.evaluate(x, y, verbose=0)[1]
    assert verdict.figures["baseline"]["accuracy"] == baseline.evaluate(x, y, verbose=0)[1]
    assert verdict.improved in ("yes", "no", "not shown")
    assert (
        "points over the baseline" in str(verdict) and "was it worth it?" in verdict._repr_html_()
    )
    assert "gate" in str(sluice.explain(baseline, mixture, x[0]))


def test_groups_are_found(parts, capsys):
    found = sluice.find_groups(parts[0], *quarters(200, 2), n_groups=2, verbose=1)
    assert sorted(found.values()) == [["dark-a", "dark-b"], ["light-a", "light-b"]]
    assert "dark-a" in capsys.readouterr().out
    numbers = sluice.group_numbers([0, 1, 2, 3], found, NAMES)
    assert numbers.tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"dark": [0, 1], "light": [2]}, "no group has light-b"),
        ({"dark": [0, 1], "light": [1, 2, 3]}, "dark-b is in 'dark' and 'light'"),
        ({"dark": [0, 1], "light": [2, 4]}, "'light' has 4, which is no class"),
        ({"dark": [0, 1], "night": [2, 3]}, "experts of dark, light, and groups dark, night"),
    ],
)
def test_wrong_groups_are_told(parts, groups, message):
    with pytest.raises(sluice.UserError, match=message):
        sluice.Mixture(*parts, groups)


def test_parts_that_do_not_fit_are_told(parts):
    baseline, experts, gate = parts
    with pytest.raises(sluice.UserError, match="gate"):
        sluice.Mixture(baseline, experts, baseline, GROUPS)
    with pytest.raises(sluice.UserError, match="one network is needed"):
        sluice.Mixture(sluice.Mixture(*parts, GROUPS), experts, gate, GROUPS)


def test_the_labs_network():
    assert sluice.CNN(10).count_params() == 2_168_362
    assert sluice.CNN(10, large=True, input_shape=(32, 32, 3)).output_shape == (10,)


def test_ctrl_c_ends_a_comparison_and_a_prediction(parts, mixture):
    x, y = quarters(400)
    x, y = np.tile(x, (4000, 1, 1)), np.tile(y, 4000)  # for ten seconds and five
    # A job in the background has no handler.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    for compute in (
        lambda: sluice.compare(parts[0], mixture, x, y),
        lambda: mixture.predict(x),
    ):
        threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        begin = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            compute()
        assert time.monotonic() - begin < 2.5
    signal.signal(signal.SIGINT, before)
