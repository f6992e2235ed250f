"""How the examples of the gallery are run, and where their pictures come from."""

import shutil
import tempfile
from pathlib import Path

from sphinx_gallery.scrapers import figure_rst

PICTURE = Path(tempfile.mkdtemp(), "picture.png")
# What is asked of those that would take minutes.
SMALLER = {"plot_addition.py": ["--small"], "plot_torch_rnn.py": ["--small"]}


def arguments(gallery_conf, script_vars):
    """The command line of an example."""
    name = Path(script_vars["src_file"]).name
    return ["--plot", str(PICTURE), *SMALLER.get(name, [])]


def pictures(block, block_vars, gallery_conf):
    """Take what an example has drawn."""
    if not PICTURE.exists():
        return ""
    path = next(block_vars["image_path_iterator"])
    shutil.move(PICTURE, path)
    return figure_rst([path], gallery_conf["src_dir"])


def _get_sg_image_scraper():
    return pictures
