"""Settings of Sphinx. Nothing is fetched from a network: no links into other projects' pages."""

import importlib.util
import os
import re
import sys
import tomllib
from pathlib import Path

METADATA = tomllib.loads(Path(__file__, "../../pyproject.toml").resolve().read_text())["project"]

project = METADATA["name"]
author = copyright = METADATA["authors"][0]["name"]
version = release = METADATA["version"]

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
root_doc = "index"
default_role = "literal"
smartquotes = False  # errors are quoted as they are
nitpicky = True
nitpick_ignore = [("py:class", "sklearn.utils.Bunch")]

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False  # the template of a class lists them

# The pictures of pages are drawn when they are built, by the code that stands above them.
plot_include_source = True
plot_html_show_source_link = plot_html_show_formats = False
plot_formats = [("png", 110)]

# The examples run as somebody without the larger data sets runs them, who has no PyTorch to time
# beside; where one draws a picture, it is told to.
os.environ["SEQLEARN_LSTM_DATA"] = ""
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *args: None if name == "torch" else find_spec(name, *args)
sys.path.insert(0, str(Path(__file__).parent))  # where gallery_runs.py is

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"/(?!plot_)[^/]*\.py$",
    "image_scrapers": ("gallery_runs",),
    "reset_argv": "gallery_runs.arguments",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "only_warn_on_example_error": False,
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = f"seqlearn_lstm {version}"
html_sidebars = {"**": []}
html_theme_options = {"show_prev_next": False, "navbar_align": "left"}
html_copy_source = False
html_show_sourcelink = False

# What every scikit-learn estimator has, and scikit-learn's own pages describe.
OF_SCIKIT_LEARN = re.compile(r"get_params|set_params|get_metadata_routing|set_\w+_request")


def skip_member(app, what, name, obj, skip, options):
    """Leave out methods that say nothing about this package."""
    return True if OF_SCIKIT_LEARN.fullmatch(name) else None


def unlink(app, what, name, obj, options, lines):
    """Make plain text of links into scikit-learn's pages, in docstrings inherited from there."""
    if (getattr(obj, "__module__", None) or "").startswith("sklearn."):
        lines[:] = [re.sub(r":ref:`([^`<]+?)\s*(<[^>]*>)?`", r"\1", line) for line in lines]


def setup(app):
    """Connect the functions above, as Sphinx asks."""
    app.connect("autodoc-skip-member", skip_member)
    app.connect("autodoc-process-docstring", unlink)
