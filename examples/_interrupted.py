"""A fit with a checkpoint, in a process that is killed and started again."""

import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
import numpy as np

from seqlearn_lstm import LSTMLanguageModel


def checkpointed(folder=None):
    """A small model; with a folder it leaves a checkpoint there after each epoch."""
    return LSTMLanguageModel(
        (48,), batch_size=16, bptt_steps=25, dropout=0.1, learning_rate=5e-3, max_iter=5, verbose=1,
        random_state=0, n_jobs=1, checkpoint=folder and Path(folder, "checkpoint"),
    )  # fmt: skip


def kill_and_go_on(text):
    """Kill a fit in the middle of its third epoch, start it again, and compare it with one that was
    never killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "text").write_text(text)
        command = [sys.executable, __file__, folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                if line.startswith("epoch 2"):
                    process.kill()  # SIGKILL, where there is such a thing
        print(f"killed: exit status {process.returncode}")
        assert not Path(folder, "model").exists() and process.returncode != 0
        again = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        assert "epoch 2" not in again.stdout
        model = joblib.load(Path(folder, "model"))
    whole = checkpointed().fit(text)
    assert model.loss_curve_ == whole.loss_curve_
    for name, values in whole.parameters_.items():
        assert np.array_equal(values, model.parameters_[name])
    print(f"went on after epoch 2; after epoch {model.n_iter_} the same bits as never killed")


def fit_in(folder):
    """What the process does that is killed."""
    model = checkpointed(folder).fit(Path(folder, "text").read_text())
    joblib.dump(model, Path(folder, "model"))


if __name__ == "__main__":
    fit_in(sys.argv[1])
