"""What some benchmarks compare with, and the package itself does without."""

import sys
from importlib.util import find_spec


def require(*names):
    """Leave, and say what to do, where one of these packages is not installed."""
    for name in names:
        if not find_spec(name):
            print(
                f'nothing was run: {name} is not installed; expected python3 -m pip install ".[bench]"',
                file=sys.stderr,
            )
            raise SystemExit(2)
