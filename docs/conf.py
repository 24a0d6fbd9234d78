"""The documentation site: docs, the Python package's docstrings and the public headers' comments.

tools/docs/build builds it.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

project = "Sluice"
extensions = ["breathe", "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "Sluice"
breathe_show_include = False
# Each header opens the namespace again.
suppress_warnings = ["duplicate_declaration.cpp"]

myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_mock_imports = ["sluice._engine"]  # which is compiled; its stub is no part of the site
napoleon_google_docstring = True

breathe_projects = {"sluice": str(ROOT / "build/docs/doxygen/xml")}
breathe_default_project = "sluice"


def _link_to_changes(app, docname, source):
    """The page of changes is a file of the repository, to which pages link there."""
    source[0] = source[0].replace("(../CHANGELOG.md)", "(changelog.md)")


def setup(app):
    app.connect("source-read", _link_to_changes)
