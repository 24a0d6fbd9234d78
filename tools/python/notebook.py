"""Executes a notebook from start to end, and fails with its first error.

notebook.py NOTEBOOK [--to EXECUTED] [NAME=VALUE...]    values replace those of the cell "parameters"
"""

import argparse

import nbclient
import nbformat


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("notebook")
    parser.add_argument("--to", help="where to write the executed notebook")
    parser.add_argument("values", nargs="*", metavar="NAME=VALUE")
    options = parser.parse_intermixed_args()
    notebook = nbformat.read(options.notebook, as_version=4)
    nbformat.validate(notebook)
    parameters = next(
        cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])
    )
    parameters.source += "\n" + "\n".join(options.values)
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    if options.to:
        nbformat.write(notebook, options.to)
    print(f"{options.notebook}: all cells ran")


if __name__ == "__main__":
    main()
