"""Who is speaking? A first classifier of sequences, in a minute.

Three speakers uttered two vowels, many times. Each utterance is a sequence of 7 to 29 frames, and
each frame is 12 numbers that describe its sound. The classifier reads the frames of an utterance
in both directions and names the speaker.

Run it with ``python3 examples/quickstart.py``, once the package is installed.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
import numpy as np

from seqlearn_lstm import LSTMClassifier
from seqlearn_lstm.datasets import load_japanese_vowels

# What a second Python process does at the end: it knows the saved files and nothing else.
PREDICT_AGAIN = """
import sys, joblib, numpy as np
folder = sys.argv[1]
model, X_test = joblib.load(f"{folder}/model.joblib"), joblib.load(f"{folder}/X_test.joblib")
np.savez(f"{folder}/again.npz", labels=model.predict(X_test), proba=model.predict_proba(X_test))
"""


def main(arguments=None):
    argparse.ArgumentParser(description="Who is speaking?").parse_args(arguments)
    # A list of arrays (n_timesteps_i, 12), one per utterance, and the speaker of each: 0, 1 or 2.
    X_train, y_train = load_japanese_vowels(subset="train", return_X_y=True)
    X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
    lengths = [len(utterance) for utterance in X_train]
    print(f"{len(X_train)} utterances of {min(lengths)} to {max(lengths)} frames to learn from")

    # Networks learn best from numbers around 0 and about 1 in size. Mean and deviation of each of
    # the 12 features come from the training frames alone: test data must stay unseen.
    frames = np.concatenate(X_train)
    mean, std = frames.mean(axis=0), frames.std(axis=0)
    X_train, X_test = ([(utterance - mean) / std for utterance in X] for X in (X_train, X_test))

    model = LSTMClassifier(
        hidden_layer_sizes=(64,),  # one layer of 64 units ...
        bidirectional=True,  # ... in each direction
        learning_rate=3e-3,
        max_iter=60,  # epochs: how often every utterance is seen
        batch_size=32,
        clip_norm=1.0,  # no single batch may change the weights too much
        verbose=1,  # a line of progress per epoch
        random_state=0,  # the same result every time
    )
    model.fit(X_train, y_train)

    accuracy = model.score(X_test, y_test)
    print(f"accuracy on {len(X_test)} new utterances: {accuracy:.3f}")
    assert accuracy >= 0.97, "expected at least .97"

    check_saved_model(model, X_test)
    print("saved, loaded in a new process: the same predictions, to the bit")


def check_saved_model(model, X_test):
    """Save the model, let a new process predict with it, and compare to the bit."""
    with tempfile.TemporaryDirectory() as folder:
        joblib.dump(model, Path(folder, "model.joblib"))
        joblib.dump(X_test, Path(folder, "X_test.joblib"))
        subprocess.run([sys.executable, "-c", PREDICT_AGAIN, folder], check=True)
        with np.load(Path(folder, "again.npz")) as again:
            assert np.array_equal(again["labels"], model.predict(X_test))
            assert np.array_equal(again["proba"], model.predict_proba(X_test))


if __name__ == "__main__":
    main()
