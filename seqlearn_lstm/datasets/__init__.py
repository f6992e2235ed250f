"""Data to try the estimators on, and readers of the formats that sequence data come in.

Nothing here is downloaded. :func:`load_japanese_vowels` reads a small file that is installed with
the package; whatever else is loaded by name is looked up in the folder that the environment
variable ``SEQLEARN_LSTM_DATA`` names. The readers (:func:`read_ts`, :func:`read_idx`,
:func:`read_conll`, :func:`read_tagged`, :func:`read_text`) take a path to any file of their format,
compressed with gzip or not. :func:`make_text` makes a text up.

Sequences are a list, as the estimators take them: of ``(n_timesteps_i, n_features)`` arrays, or of
lists of symbols. Those of one length may be an array: the images of :func:`load_mnist` are one. A
text is one string.
"""

from .bundled import load_japanese_vowels, load_spoken_digits
from .formats import IDX_TYPES as IDX_TYPES
from .formats import read_idx, read_ts
from .home import DATA_VARIABLE as DATA_VARIABLE
from .home import data_home, find_data
from .images import load_mnist
from .tables import load_imdb, load_shop_sessions
from .tagged import load_brown, read_conll, read_tagged
from .texts import load_huckleberry_finn, load_shakespeare, make_text, normalize_text, read_text

__all__ = [
    "data_home",
    "find_data",
    "load_brown",
    "load_huckleberry_finn",
    "load_imdb",
    "load_japanese_vowels",
    "load_mnist",
    "load_shakespeare",
    "load_shop_sessions",
    "load_spoken_digits",
    "make_text",
    "normalize_text",
    "read_conll",
    "read_idx",
    "read_tagged",
    "read_text",
    "read_ts",
]
