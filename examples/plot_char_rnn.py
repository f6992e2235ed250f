"""A writer of Shakespeare's characters
====================================

What comes next? A network reads Shakespeare character by character, and then writes.

The settings are those of A. Karpathy's char-rnn: two layers of 128 units, 50 pieces of the text read
side by side in windows of 50 characters, RMSprop with a rate of 0.002 that shrinks after ten epochs,
weights that begin within 0.08 of zero, the last 5 % of the text held out. The loss is in nats a
character.

Run it with ``python3 examples/plot_char_rnn.py``: three epochs. ``--full`` goes on until the held-out
text is told no better; ``--best`` is a larger network with dropout and weight decay; ``--torch N`` trains the same
network in PyTorch, an epoch here and an epoch there; ``--plot FILE`` draws the curves (with
matplotlib). The text, *tinyshakespeare*, is read from the folder that the environment variable
SEQLEARN_LSTM_DATA names. Without it, sentences of a small grammar do, of which it is known how well
they can be told at best.
"""

import argparse
import time
from importlib.util import find_spec
from statistics import median

from _text import n_parameters, split, text_of

from seqlearn_lstm import LSTMLanguageModel
from seqlearn_lstm.cells import LSTM
from seqlearn_lstm.datasets import load_shakespeare, make_text
from seqlearn_lstm.schedules import ExponentialDecay
from seqlearn_lstm.solvers import AdamW, RMSprop

CHAR_RNN = dict(
    hidden_layer_sizes=(128, 128),
    cell=LSTM(kernel_initializer=0.08, recurrent_initializer=0.08, bias_initializer=0.08),
    solver=RMSprop(rho=0.95),
    learning_rate=2e-3,
    schedule=ExponentialDecay(gamma=0.97, start=10),
    batch_size=50,
    bptt_steps=50,
    clip_norm=None,
    clip_value=5.0,
    max_iter=50,
    early_stopping=True,
    n_iter_no_change=5,
)
BEST = dict(
    hidden_layer_sizes=(384, 384),
    dropout=0.5,
    solver=AdamW(weight_decay=0.1),
    learning_rate=2e-3,
    schedule="cosine",
    batch_size=50,
    bptt_steps=50,
    max_iter=15,
    early_stopping=True,
    n_iter_no_change=None,
)
MADE_UP = CHAR_RNN | dict(
    hidden_layer_sizes=(64,), learning_rate=1e-2, schedule="cosine", max_iter=8
)

# Loss on the held-out text after so many epochs, told of PyTorch with these settings elsewhere; and
# what is expected here at most.
ELSEWHERE = {1: 2.105, 3: 1.763, 7: 1.635}
EXPECTED = {1: 2.12, 3: 1.78, 7: 1.65}
BEST_ELSEWHERE, BEST_EXPECTED = 1.620, 1.62
N_CHAR_RNN = 240_321  # parameters that char-rnn counts: it has two biases for each gate


def main(arguments=None):
    parser = argparse.ArgumentParser(description="A language model of characters.")
    parser.add_argument("--full", action="store_true", help="to the best epoch, not three")
    parser.add_argument("--best", action="store_true", help="a larger network, regularised")
    parser.add_argument("--torch", type=int, metavar="N", help="N epochs beside PyTorch, no more")
    parser.add_argument("--jobs", type=int, help="threads (default: all)")
    parser.add_argument("--plot", metavar="FILE", help="picture of the losses")
    args = parser.parse_args(arguments)
    if args.torch and not find_spec("torch"):
        parser.error('torch is not installed; expected python3 -m pip install ".[bench]"')
    text, is_made_up = text_of(load_shakespeare, lambda: make_text(4_000, random_state=0))
    train, valid = split(text.data)
    settings = MADE_UP if is_made_up else BEST if args.best else CHAR_RNN
    if args.torch:
        return race(train, valid, settings, args.torch, args.jobs)
    if not (args.full or args.best or is_made_up):
        settings = settings | dict(max_iter=3)
    model = learn(train, valid, settings | dict(n_jobs=args.jobs))
    losses = [-score for score in model.validation_scores_]
    check_writing(model, "the ")
    if args.plot:
        draw(args.plot, model)
    if is_made_up:
        print(f"who knows the grammar has {-text.score:.3f} nats a character")
        assert min(losses) <= 0.02 - text.score
    elif args.best:
        assert min(losses) <= 1.50
    else:
        compare(losses, is_whole=args.full)
    return losses


def learn(train, valid, settings):
    """Fit, and print what it came to."""
    print(f"{len(train)} characters to learn from, {len(valid)} held out")
    model = LSTMLanguageModel(**settings, verbose=1, random_state=0).fit(train, X_val=valid)
    print(
        f"{n_parameters(model)} parameters, {len(model.classes_) - 2} characters; epoch "
        f"{model.best_iter_} is the best: {-model.score(valid):.4f} nats a character held out, "
        f"{model.bits_per_symbol(valid):.3f} bits"
    )
    return model


def compare(losses, is_whole):
    """Print the losses beside those of elsewhere."""
    print(f"(char-rnn counts {N_CHAR_RNN} parameters)")
    for epoch, elsewhere in ELSEWHERE.items():
        if epoch <= len(losses):
            loss, most = losses[epoch - 1], EXPECTED[epoch]
            print(f"after {epoch} epochs {loss:.3f}, told of PyTorch {elsewhere}")
            assert loss <= most, f"expected at most {most}"
    if is_whole:
        print(f"at its best {min(losses):.3f}, told of PyTorch {BEST_ELSEWHERE}")
        assert min(losses) <= BEST_EXPECTED


def check_writing(model, prime, n=500):
    """Write, twice the same from the same seed."""
    start = time.perf_counter()
    written = model.generate(prime, n, temperature=0.8, random_state=0)
    seconds = time.perf_counter() - start
    assert written == model.generate(prime, n, temperature=0.8, random_state=0)
    print(f"{n / seconds:.0f} characters a second, twice the same:\n\n{prime}{written}\n")


def draw(file, model):
    """The training loss and the held-out score of each epoch."""
    from matplotlib.figure import Figure  # drawn into a file: needs no display

    from seqlearn_lstm.display import TrainingCurveDisplay

    figure = Figure(figsize=(6, 4), layout="constrained")
    TrainingCurveDisplay.from_estimator(model, ax=figure.subplots())
    figure.savefig(file)


# ---- beside PyTorch --------------------------------------------------------------------------------


def race(train, valid, settings, n_epochs, n_jobs=None):
    """Train here and in PyTorch in turns, so that a machine which slows down slows both.

    Returns
    -------
    ours : LSTMLanguageModel
    theirs : TorchModel
    ratios : list of float
        PyTorch's seconds by ours, for each epoch.
    """
    import torch  # before the first fit: see the user guide on threads
    from _char_rnn_torch import TorchModel

    settings = settings | dict(early_stopping=False, n_jobs=n_jobs, random_state=0)
    if n_jobs:
        torch.set_num_threads(n_jobs)
    LSTMLanguageModel(**settings).partial_fit(train[:5_000])  # compiles
    ours, theirs = LSTMLanguageModel(**settings), TorchModel(train, settings)
    ratios = []
    for epoch in range(1, n_epochs + 1):
        seconds = [timed(ours.partial_fit, train), timed(theirs.partial_fit, train)]
        ratios.append(seconds[1] / seconds[0])
        print(
            f"epoch {epoch}: {seconds[0]:.2f} s and {-ours.score(valid):.4f} here, "
            f"{seconds[1]:.2f} s and {-theirs.score(valid):.4f} in PyTorch",
            flush=True,
        )
    print(
        f"{n_parameters(ours)} parameters here, {theirs.n_parameters()} there, whose gates have two biases"
    )
    print(f"PyTorch takes {median(ratios):.2f} times as long")
    return ours, theirs, ratios


def timed(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
