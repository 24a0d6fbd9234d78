"""HTML of notebooks' cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table; all texts are escaped."""

    def row(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(row("td", cells) for cells in rows)
    return f"<table><thead>{row('th', headings)}</thead><tbody>{body}</tbody></table>"


def preformatted(text: str) -> str:
    """Returns text whose lines and columns stay."""
    return f'<pre style="font-family: monospace; line-height: 1.2">{escape(text)}</pre>'
