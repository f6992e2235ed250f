"""Settings of Sphinx. Nothing is fetched from a network: no links into other projects' pages."""

import os
import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

from sphinx_gallery.scrapers import figure_rst

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
nitpicky = False

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
sys.modules["torch"] = None
PICTURE = Path(tempfile.mkdtemp(), "picture.png")


class Pictures:
    """Takes what an example has drawn."""

    def __call__(self, block, block_vars, gallery_conf):
        if not PICTURE.exists():
            return ""
        path = next(block_vars["image_path_iterator"])
        shutil.move(PICTURE, path)
        return figure_rst([path], gallery_conf["src_dir"])


class Arguments:
    """Of the command line, for every example."""

    def __call__(self, gallery_conf, script_vars):
        return ["--plot", str(PICTURE)]


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"/(?!plot_)[^/]*\.py$",
    "image_scrapers": (Pictures(),),
    "reset_argv": Arguments(),
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
