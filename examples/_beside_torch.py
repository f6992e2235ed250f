"""Epochs beside PyTorch's, where it is installed.

Import this before the first fit: PyTorch's OpenMP is slow when another library's came first.
"""

import importlib.util
import time
from statistics import median

import joblib

HAS_TORCH = importlib.util.find_spec("torch") is not None
if HAS_TORCH:
    import torch


def race(here, theirs, n_jobs=None, n_rounds=3, n_epochs=1, network="PyTorch"):
    """Print the seconds of an epoch here and in PyTorch. Both take turns, so that a machine which
    slows down slows both; the first turns only warm up.

    Parameters
    ----------
    here, theirs : callable
        Make `n_epochs` epochs.
    n_jobs : int or None
        Threads of PyTorch; None: all.

    Returns
    -------
    ratio : float
        PyTorch's seconds by ours: the median over the rounds.
    """
    torch.set_num_threads(n_jobs or joblib.cpu_count())
    turns = [(seconds(here), seconds(theirs)) for _ in range(n_rounds + 1)][1:]
    ratio = median(others / ours for ours, others in turns)
    ours, others = (median(turn) / n_epochs for turn in zip(*turns, strict=True))
    print(
        f"an epoch, taking turns: {ours:.3g} s here, {others:.3g} s in {network}, which takes "
        f"{ratio:.2f} times as long (medians of {n_rounds})",
        flush=True,
    )
    return ratio


def seconds(function, *arguments):
    """How long a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def training(solver, loss_of, n, batch_size, clip_norm=None, shuffle=True):
    """A function that makes one epoch in PyTorch, as one writes it by hand.

    Parameters
    ----------
    solver : torch.optim.Optimizer
    loss_of : callable
        ``loss_of(members)`` is the loss of the samples with these numbers.
    n : int
        How many samples there are.
    """
    parameters = [values for group in solver.param_groups for values in group["params"]]

    def epoch():
        order = torch.randperm(n) if shuffle else torch.arange(n)
        for members in order.split(batch_size):
            solver.zero_grad()
            loss_of(members).backward()
            if clip_norm is not None:
                torch.nn.utils.clip_grad_norm_(parameters, clip_norm)
            solver.step()

    return epoch
