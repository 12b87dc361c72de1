"""How Sphinx makes the site. The pages are gathered by labkit.site; ./build_docs.sh runs both."""

from pathlib import Path

import yaml

project = yaml.safe_load(Path(__file__).with_name("artifact.yaml").read_text(encoding="utf-8"))["title"]
author = "the authors of the lab"
copyright = f"{author}. Text and pictures: CC BY 4.0. Code: Apache-2.0"

extensions = ["myst_nb", "sphinx_copybutton", "sphinx_design", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

# The outputs are those of a full run, which ./build_docs.sh --record has taken over.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
default_role = "code"  # docstrings quote code between single backticks, as Markdown does

html_theme = "sphinx_book_theme"
html_title = "GourmetGram"
html_static_path = ["_static"]
html_css_files = ["lab.css"]
html_js_files = ["lab.js"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
html_theme_options = {
    "home_page_in_toc": True,
    "navbar_persistent": [],
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "use_repository_button": False,
}
copybutton_prompt_text = "$ "
