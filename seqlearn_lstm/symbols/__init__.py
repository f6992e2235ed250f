"""Sequences of symbols: which forms of X hold them, and their codes, whole numbers from 0.

==============  =================================================================================
form of X       how it is read
==============  =================================================================================
collection      list, tuple, 1-D object array or Series of sequences: lists, tuples, 1-D arrays,
                Series or one-column DataFrames of symbols; a string is the sequence of its
                characters
strings         1-D array of strings: each the sequence of its characters
table           2-D array or DataFrame: each row a sequence of symbols, time along the columns
==============  =================================================================================

A symbol is a string, a whole number, or any other hashable value that is neither missing nor made
of parts. Checked sequences stay what the caller gave (str, list, tuple, 1-D array), uncopied and
never written; only their codes, int64 rows of shape (n_rows, 1) in a `Sequences`, are new.
"""

from .reading import as_collection as as_collection  # for the estimators
from .reading import check_symbol as check_symbol
from .reading import check_symbols as check_symbols
from .reading import holds_symbols as holds_symbols
from .vocabulary import END, UNKNOWN, Vocabulary
from .vocabulary import warn_of_texts as warn_of_texts

__all__ = ["END", "UNKNOWN", "Vocabulary"]
