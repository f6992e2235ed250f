"""Between sequences and tables: transformers per time step, rows and lengths, long tables.

`PerStep` runs a scikit-learn transformer over the time steps of sequences, `concatenate` and
`split` translate to and from the rows-and-lengths form of hmmlearn and seqlearn, `from_long` reads
a table with one row for each time step. Data frames are known by what they can do; pandas is not
imported unless sequences are its frames.
"""

from .long import from_long
from .per_step import PerStep
from .rows import concatenate, split

__all__ = ["PerStep", "concatenate", "from_long", "split"]
