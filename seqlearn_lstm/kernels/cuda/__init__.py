"""The CUDA backend: the entry points of the contract."""

from .memory import DeviceArray as DeviceArray
from .memory import to_device, to_host, zeros
from .moments import adam, amsgrad, nadam
from .updates import adadelta, adagrad, clip_values, descend, rmsprop, sgd

__all__ = [
    "adadelta",
    "adagrad",
    "adam",
    "amsgrad",
    "clip_values",
    "descend",
    "nadam",
    "rmsprop",
    "sgd",
    "to_device",
    "to_host",
    "zeros",
]
