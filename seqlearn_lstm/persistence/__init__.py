"""Weights from elsewhere and back: plain arrays in, plain arrays out.

Each format has a function that reads it and one that writes it. What is read are canonical
parameters, named as in ``parameters_``: ``"layer_0.forward.W"`` and so on; `with_parameters` puts
them into a fitted estimator. No other library is needed, and none is imported.

The recurrent layers alone are translated. A dense layer is soon done by hand: ``"output.W"`` is
Keras' kernel as it is and PyTorch's weight transposed, ``"output.b"`` the bias.
"""

from .char_rnn import from_char_rnn, to_char_rnn
from .keras import from_keras, to_keras
from .onnx import from_onnx, to_onnx
from .pytorch import from_torch, to_torch
from .replace import with_parameters

__all__ = [
    "from_char_rnn",
    "from_keras",
    "from_onnx",
    "from_torch",
    "to_char_rnn",
    "to_keras",
    "to_onnx",
    "to_torch",
    "with_parameters",
]
