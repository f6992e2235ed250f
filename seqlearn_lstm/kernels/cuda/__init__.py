"""The CUDA backend: the entry points of the contract."""

from .memory import DeviceArray as DeviceArray
from .memory import to_device, to_host, zeros

__all__ = ["to_device", "to_host", "zeros"]
