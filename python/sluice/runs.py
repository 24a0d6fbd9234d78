"""Run folders of `sluice train`, in a notebook."""

from __future__ import annotations

import json
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from sluice._engine import UserError
from sluice.mixtures import Mixture, load_model
from sluice.networks import Sequential


class Run:
    """A finished run. A notebook shows its report.

    Args:
        folder: The run's folder.

    Attributes:
        folder: The folder.
        results: All figures: results.json.
        models: Names of its models, for load().

    Raises:
        UserError: If the folder is no run, or the run is not finished.
    """

    def __init__(self, folder: str | PathLike[str]):
        self.folder = Path(folder)
        try:
            text = (self.folder / "results.json").read_text()
        except OSError:
            raise UserError(
                f"[run] {folder} has no results.json: give the folder of a run that is finished"
            ) from None
        self.results: dict[str, Any] = json.loads(text)
        self.models = sorted(file.parent.name for file in self.folder.glob("*/model.safetensors"))

    def load(self, model: str) -> Sequential | Mixture:
        """Opens one of its models."""
        if model not in self.models:
            raise UserError(f"[run] {self.folder} has the models {', '.join(self.models)}")
        return load_model(self.folder / model / "model.safetensors")

    def __repr__(self) -> str:
        return f"<run {self.folder}: {', '.join(self.models)}>"

    def _repr_html_(self) -> str:
        """The report, in a frame of its own."""
        page = (self.folder / "report.html").read_text()
        return (
            '<iframe style="width: 100%; height: 80vh; border: 1px solid #ccc" '
            f'srcdoc="{escape(page)}"></iframe>'
        )
