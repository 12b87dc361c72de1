"""The pages of a run: each executed notebook, and a table with links to them. They load nothing from other hosts."""

import posixpath
import re
import shutil
import warnings
from pathlib import Path

import nbformat
from jinja2 import Environment, FileSystemLoader
from nbconvert import HTMLExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

from labkit.runner.results import RunResult

TEMPLATES = Path(__file__).parent / "templates"
PICTURE = re.compile(r"(!\[[^\]]*\])\((?!\w+:)([^)\s]+)\)")
MERMAID = Path(__file__).parents[1] / "vendor" / "mermaid" / "mermaid.min.js"


def write_page(executed: Path, pictures: Path) -> Path:
    """Write an executed notebook as HTML beside it, with its pictures inside.

    Args:
        executed: the notebook.
        pictures: the folder from which relative paths of pictures in its text are seen; they may lead beside it.
    """
    notebook = _with_pictures_from_above(nbformat.read(executed, as_version=4), pictures.name)
    exporter = HTMLExporter(
        template_name="executed", extra_template_basedirs=[str(TEMPLATES)], embed_images=True, exclude_anchor_links=True
    )
    exporter.register_preprocessor(CoalesceStreamsPreprocessor, enabled=True)  # of a progress bar, its last state
    resources = {"metadata": {"name": executed.stem, "path": str(pictures.parent)}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pictures without a description, and the like: the book's own checks say so
        html, _ = exporter.from_notebook_node(_without_widgets(notebook), resources=resources)
    page = executed.with_suffix(".html")
    page.write_text(re.sub(r'(href="\d+_\w+)\.(?:ipynb|md)(["#])', r"\1.html\2", html), encoding="utf-8")
    return page


def write_index(folder: Path, result: RunResult) -> Path:
    """Write index.html: the table of notebooks, and what failed."""
    shutil.copyfile(MERMAID, folder / MERMAID.name)
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    page = folder / "index.html"
    page.write_text(environment.get_template("index.html.j2").render(vars(result)), encoding="utf-8")
    return page


def _with_pictures_from_above(notebook: NotebookNode, folder: str) -> NotebookNode:
    """Paths of pictures as seen from the parent of `folder`: nbconvert takes none from outside its folder."""

    def seen(match: re.Match[str]) -> str:
        return f"{match[1]}({posixpath.normpath(posixpath.join(folder, match[2]))})"

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = PICTURE.sub(seen, cell.source)
    return notebook


def _without_widgets(notebook: NotebookNode) -> NotebookNode:
    """Interactive widgets are drawn by a script from the internet; their text form stays."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return notebook
