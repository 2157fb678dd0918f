"""Runs a notebook from top to bottom: notebook.py NOTEBOOK FOLDER OUTPUT."""
import sys

import nbformat
from nbclient import NotebookClient

path, folder, output = sys.argv[1:4]
notebook = nbformat.read(path, as_version=4)
for cell in notebook.cells:
    if cell.cell_type == "code":
        cell.outputs = []
client = NotebookClient(
    notebook, kernel_name="deno", timeout=120, resources={"metadata": {"path": folder}}
)
client.execute()
nbformat.write(notebook, output)
