"""JSON for the engine."""

from __future__ import annotations

import json
from typing import Any

import numpy as np


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is no number and no text")


def to_json(value: Any) -> str:
    """Returns JSON; NumPy's numbers, as of a grid search, are numbers."""
    return json.dumps(value, default=_plain)
