"""The command line that the package brings."""

import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import quarters

import sluice


def command(*words, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "sluice", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},
    )


def test_it_tells_its_verbs_and_version():
    assert "sluice predict runs/lab cat.jpg" in command("--help").stdout
    assert command("--version").stdout.startswith(f"sluice {sluice.__version__}")


def test_mistakes_end_with_2():
    ended = command("trian")
    assert ended.returncode == 2 and "train" in ended.stderr


def test_a_run_from_start_to_end(tmp_path):
    arrays = tmp_path / "arrays"
    arrays.mkdir()
    for half, seed in (("train", 0), ("test", 1)):
        x, y = quarters(120, seed)
        np.save(arrays / f"x_{half}.npy", x)
        np.save(arrays / f"y_{half}.npy", y)
    experiment = tmp_path / "small.toml"
    experiment.write_text(
        'name = "small"\n[data]\nset = "folder"\nimage_size = 8\nchannels = 1\n'
        "[train.epochs]\nbaseline = 2\n"
        '[model]\nnetwork = "layers"\n[[model.layers]]\nclass_name = "Flatten"\n'
    )
    run = tmp_path / "run"
    ended = command("train", experiment, "--data", arrays, "--run", run)
    assert ended.returncode == 0, ended.stderr
    opened = sluice.Run(run)
    assert opened.models == ["baseline"]
    results, model = opened.results, opened.load("baseline")
    x, y = quarters(120, 1)
    accuracy = model.evaluate(x, y, verbose=0)[1]
    assert accuracy == pytest.approx(results["baseline"]["accuracy"])
    assert "srcdoc=&quot;" not in opened._repr_html_() and "&lt;html" in opened._repr_html_()
    with pytest.raises(sluice.UserError, match="has the models baseline"):
        opened.load("mixture")
    with pytest.raises(sluice.UserError, match="no results.json: give the folder of a run"):
        sluice.Run(tmp_path)
    refused = command("export", run)
    assert refused.returncode == 2 and "no files of Keras and ONNX" in refused.stderr
