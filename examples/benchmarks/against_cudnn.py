"""LSTM layers and whole fits on a GPU, beside ``torch.nn.LSTM`` with cuDNN.

    python3 examples/benchmarks/against_cudnn.py
    python3 examples/benchmarks/against_cudnn.py --precision bf16 --shapes 128x50x65x512
    python3 examples/benchmarks/against_cudnn.py --simulate

First, for every shape, all outputs and gradients are compared with the processor's in float64. Then a
training step (plan the batch, forward, back-propagation through time, gradients of the weights) and
an epoch of `fit` are timed. PyTorch runs them eagerly and recorded in a CUDA graph; a ragged batch
packed, too. A packed batch is not recorded, for packing needs the lengths on the host.

With --simulate the kernels run in the simulator, beside PyTorch on the processor, at tiny shapes:
results are compared and nothing is timed. Without a GPU the exit status is 2, where results are
wrong 1.
"""

import argparse
import os
import sys
from importlib.util import find_spec


def main():
    """Check what is there, then measure."""
    args = parse_arguments()
    if args.simulate:
        os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
    args.simulate = os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("0", "")
    reason = what_is_missing(args.simulate)
    if reason:
        print(f"nothing was run: {reason}", file=sys.stderr)
        return 2
    import torch  # noqa: F401  before numba: see _torch.py
    from _on_device import run  # ... which is told only now that it is to simulate

    return run(args)


def what_is_missing(simulate):
    """Why nothing can be run; None: it can."""
    needed = {"torch": "bench"} | ({"greenlet": "test"} if simulate else {})
    for name, extra in needed.items():
        if not find_spec(name):
            return f'{name} is not installed; expected python3 -m pip install ".[{extra}]"'
    if simulate:
        return None
    from seqlearn_lstm.kernels import get_backend

    try:
        get_backend("cuda")
    except RuntimeError as error:
        return f"{' '.join(str(error).split())}, and --simulate compares results without one"
    import torch

    if not torch.cuda.is_available():
        return f"PyTorch {torch.__version__} finds no GPU"
    return None


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--simulate", action="store_true", help="tiny shapes, results alone")
    parser.add_argument("--check", action="store_true", help="compare results, time nothing")
    parser.add_argument(
        "--precision", choices=("tf32", "float32", "bf16"), default="tf32",
        help="of products, on both sides (default: tf32, which is PyTorch's);\n"
        "bf16: PyTorch has all of its layer in bfloat16",
    )  # fmt: skip
    parser.add_argument(
        "--shapes", nargs="+", metavar="BxTxIxH", help="some only, such as 100x28x28x100"
    )
    parser.add_argument(
        "--seconds", type=float, default=3, help="for each shape's steps, and epochs (default: 3)"
    )
    parser.add_argument(
        "--batches", type=int, default=20, help="of an epoch; 0: no epochs (default: 20)"
    )
    parser.add_argument("--json", metavar="FILE", help="write all figures to a file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
