"""How long threads wait actively for more work before they sleep: what it gains and costs.

    python3 examples/benchmarks/waiting.py

A thread that sleeps must be woken, which takes time where a fit has a stretch of work for one thread
in every batch. A thread that waits actively keeps a core from other processes, for which those with
work then wait, too. Fits on all cores, each in a process of its own with another `GOMP_SPINCOUNT`
(GNU's OpenMP; the package sets one by itself), alone on the machine and beside busy processes.
"""

import argparse
import os
import subprocess
import sys
from contextlib import contextmanager

from _timing import Table

COUNTS = {"10,000": "10000", "the package's own": None, "300,000": "300000"}
FIT = """
import time
import numpy as np
from seqlearn_lstm import LSTMClassifier

rng, n_batches = np.random.default_rng(0), 20
X = rng.standard_normal((100 * n_batches, 28, 28), dtype=np.float32)
y = rng.integers(0, 10, len(X))
model = LSTMClassifier(100, batch_size=100, max_iter=1, tol=0, random_state=0, warm_start=True)
model.fit(X, y)
seconds = []
for _ in range({epochs}):
    start = time.perf_counter()
    model.fit(X, y)
    seconds.append(time.perf_counter() - start)
print(np.median(seconds) / n_batches)
"""


@contextmanager
def busy(n):
    """Keep `n` processes busy."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def fit(count, epochs):
    """Milliseconds of a batch, in a new process."""
    kept = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run(
        [sys.executable, "-c", FIT.format(epochs=epochs)],
        env=kept | ({"GOMP_SPINCOUNT": count} if count else {}),
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return 1e3 * float(done.stdout)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--busy", type=int, default=5, help="busy processes (default: 5)")
    parser.add_argument("--epochs", type=int, default=15, help="of each fit (default: 15)")
    args = parser.parse_args()
    table = Table(
        ["GOMP_SPINCOUNT", "alone, ms a batch", f"beside {args.busy}, ms"], first_width=20
    )
    for name, count in COUNTS.items():
        cells = [f"{fit(count, args.epochs):.2f}"]
        with busy(args.busy):
            cells.append(f"{fit(count, args.epochs):.2f}")
        table.row([name, *cells])


if __name__ == "__main__":
    main()
