"""Sphinx configuration. Builds without a network; `sphinx -W` turns every warning into an error."""

import os
import re

import geolatent

project = "geolatent"
author = "The geolatent developers"
project_copyright = author
release = geolatent.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "jupyter_execute", "theory/library-answers.md"]  # the last is included

# Notebooks (pages with code cells) run in every build, so that no page shows what the code no longer does.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices; the threads would only wait for each other
os.environ.pop("MPLBACKEND", None)  # under Agg, which continuous integration sets, pages would lose their figures
nb_merge_streams = True
nb_output_stderr = "remove"
myst_enable_extensions = ["attrs_block", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_mock_imports = ["geomstats"]  # not installed beside the newest numpy
autodoc_typehints_format = "short"
autosummary_generate = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 90
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = ["Accuracy", "Source"]

html_theme = "pydata_sphinx_theme"
html_title = "geolatent"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("index", "tutorial", "performance", "studies/*", "theory/*")}
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "logo": {"text": "geolatent", "image_light": "_static/logo.svg", "image_dark": "_static/logo.svg"},
}
html_favicon = "_static/logo.svg"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

_CITATION = re.compile(r"\[([a-z]+[0-9]{4}[a-z]+)\]")


def link_citations(_app, _what, _name, _obj, _options, lines: list[str]) -> None:
    """Turn ``[golub2013matrix]`` into a link to its entry of reference/references.md."""
    lines[:] = [_CITATION.sub(r":ref:`[\1] <\1>`", line) for line in lines]


def skip_field_aliases(_app, _what, _name, obj, _skip, _options) -> bool | None:
    """Leave out fields of named tuples that have no docstring of their own."""
    return True if str(getattr(obj, "__doc__", "")).startswith("Alias for field number") else None


def setup(app) -> None:
    """Connect the two hooks."""
    app.connect("autodoc-process-docstring", link_citations)
    app.connect("autodoc-skip-member", skip_field_aliases)
