"""How well labels of time steps are predicted: by step, by sequence, by chunk.

Labels are a list of sequences of labels: lists or arrays of any lengths, or a 1-D object array of
such. A true label that is None, NaN, pandas.NA or the integer -1 is missing: its step is left out.

A *chunk* is a run of steps of one type, such as a name in a sentence, written in labels like
"B-PER", "I-PER" and "O". Chunks are read as conlleval does, the script of the CoNLL shared tasks:
whatever the scheme, "O" is outside; within the rest a new chunk starts

* after "O", and at the start of a sequence;
* where the type is not that of the step before;
* at "B" and "S"; and after "E" and "S";

and every chunk ends before the next starts, before "O", or with the sequence. So ill-formed labels
are chunks, too: "O I-PER" starts one, and "I-PER I-LOC" are two. (The script itself knows no "S",
nor "B" after "E": they are read as its ports for IOBES read them.)
"""

from .chunk_scores import ChunkScores as ChunkScores
from .chunk_scores import chunk_f1, chunk_precision, chunk_precision_recall_f1, chunk_recall
from .chunks import SCHEMES as SCHEMES
from .chunks import Chunk as Chunk
from .chunks import get_chunks
from .scorers import SCORERS as SCORERS
from .scorers import scorer
from .steps import sequence_accuracy, step_accuracy

__all__ = [
    "chunk_f1",
    "chunk_precision",
    "chunk_precision_recall_f1",
    "chunk_recall",
    "get_chunks",
    "scorer",
    "sequence_accuracy",
    "step_accuracy",
]
