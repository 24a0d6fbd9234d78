import builtins
import io
import sys

import pytest

import sluice
from sluice import _progress


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_counts_steps(model, data, monkeypatch):
    monkeypatch.setattr(sys, "stdout", _Terminal())
    model.fit(*data, epochs=2, validation_split=0.2)
    shown = sys.stdout.getvalue()
    assert "\rEpoch 1/2 6/6 " in shown and "s left loss" in shown
    lines = [line.split("\r")[-1].rstrip() for line in shown.split("\n")]
    assert lines[2:] == [""] and lines[1].startswith("Epoch 2/2 ") and "val_accuracy" in lines[1]
    assert max(map(len, shown.replace("\n", "\r").split("\r"))) < 80


def test_ctrl_c_ends_the_line(model, data, monkeypatch):
    class Interrupts(sluice.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdout", _Terminal())
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, batch_size=240, callbacks=[Interrupts()])
    assert sys.stdout.getvalue().endswith("\n")


def test_a_pipe_gets_a_line_for_each_epoch(model, data, capsys):
    model.fit(*data, epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line[:9] for line in lines] == ["Epoch 1/2", "Epoch 2/2"]
    model.fit(*data, epochs=2, verbose=0)
    assert capsys.readouterr().out == ""


def test_a_notebook_has_a_bar(model, data, monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(_progress, "_in_notebook", lambda: True)
    model.fit(*data, epochs=2)
    captured = capsys.readouterr()
    assert captured.out.count("Epoch") == 2, "a line for each epoch stays"
    assert "Epoch 1/2:" in captured.err and "Epoch 2/2:" in captured.err


def test_a_notebook_without_tqdm_has_lines(model, data, monkeypatch, capsys):
    def importing(name, *arguments):
        if name.startswith("tqdm"):
            raise ImportError(name)
        return original(name, *arguments)

    original = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", importing)
    monkeypatch.setattr(_progress, "_in_notebook", lambda: True)
    model.fit(*data, epochs=2)
    assert capsys.readouterr().out.count("Epoch") == 2


def test_pictures(model, data):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    history = model.fit(*data, epochs=2, validation_split=0.2, verbose=0)
    loss, accuracy = history.plot()
    assert loss.get_ylabel() == "loss" and len(accuracy.get_lines()) == 2
    assert "<td>0." in history._repr_html_()
    confusion = sluice.Confusion(data[1], model.predict(data[0]), ["r", "g", "b"])
    assert confusion.counts.sum() == 240
    assert len(confusion.plot().texts) == 9
    assert "<th>recall</th>" in confusion._repr_html_()
