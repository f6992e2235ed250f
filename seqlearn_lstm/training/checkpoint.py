"""A training run on disk: written after each epoch, so that a killed one goes on where it was.

The file is written beside itself, brought to the disk and renamed: whenever the process or the
machine stops, there is a whole file, of the last epoch or of the one before. Where several processes
name the same file, it is a whole one of the last that wrote. What a process that was killed had begun
to write is removed by a later fit with the same file.

The file is a pickle, and behind it the SHA-256 of it: what a disk has damaged is not gone on with.
"""

import errno
import hashlib
import os
import pickle
import secrets
import time
from contextlib import suppress
from glob import escape, iglob

from .identity import fingerprint
from .listener import Listener
from .portable import portable, restored

FORMAT = 4
CHECKSUM = 32  # bytes
TOKEN = 4  # random bytes in the name of a part
NOT_FOR_FOLDERS = {errno.EACCES, errno.EPERM, errno.EBADF, errno.EINVAL, errno.ENOTSUP}
ABANDONED = 3600  # seconds since something was written last: nobody goes on with that part


class Checkpoint(Listener):
    """The state of one training run, in a file that knows whose it is.

    Parameters
    ----------
    path : str or path-like
    what : iterable of ndarrays and values
        All that decides about the run, to tell it from others.

    Raises
    ------
    ValueError
        If the path is none of a file.
    """

    def __init__(self, path, what):
        self.path, self.name = os.fsdecode(path), fingerprint(what)
        self._whole = _whole(self.path)  # once: while a fit runs, a callback may change the folder

    def load(self, network):
        """The state, with arrays for a network, or None where there is no file.

        Raises
        ------
        ValueError
            If the file is of another run, or no checkpoint at all, or could not be written.
        """
        self._check_folder()
        _remove_abandoned(self._whole)
        try:
            with open(self._whole, "rb") as file:
                found = memoryview(file.read())
        except FileNotFoundError:
            return None
        if hashlib.sha256(found[:-CHECKSUM]).digest() != found[-CHECKSUM:]:
            raise ValueError(
                f"{self.path} is no checkpoint of this version of seqlearn_lstm, or it is damaged: its "
                "last bytes are not the checksum of those before"
            )
        try:
            saved = pickle.loads(found)
        except MemoryError:
            raise
        except Exception as error:  # whatever the bytes of another file make of pickle
            raise self._no_checkpoint(error) from error
        if not isinstance(saved, dict) or saved.get("format") != FORMAT:
            raise ValueError(f"{self.path} is no checkpoint of this version of seqlearn_lstm")
        try:
            if saved["name"] == self.name:
                return restored(saved["state"], network)
        except MemoryError:
            raise
        except Exception as error:  # and whatever a damaged one makes of a state
            raise self._no_checkpoint(error) from error
        raise ValueError(
            f"the checkpoint {self.path} belongs to a fit with other parameters or other data; "
            "remove it, or name another file"
        )

    def _no_checkpoint(self, error):
        return ValueError(f"{self.path} is no checkpoint: {type(error).__name__}: {error}")

    def _check_folder(self):
        """Raise ValueError where no file can be written: better now than after an epoch."""
        folder = os.path.dirname(self._whole)
        if not os.path.isdir(folder):
            raise ValueError(f"checkpoint is {self.path!r}, but there is no folder {folder!r}")
        part = _new_part(self._whole)
        try:
            open(part, "xb").close()
        except OSError as error:
            raise ValueError(
                f"checkpoint is {self.path!r}, but nothing can be written there: {error.strerror}"
            ) from error
        finally:
            _remove(part)

    def after_epoch(self, task, state, seconds):
        self.save(state, task.network)
        return False

    def save(self, state, network):
        """Write the state of a network's training.

        Raises
        ------
        OSError
            If it cannot be written; what was written after an earlier epoch is still there.
        """
        part = _new_part(self._whole)
        try:
            with open(part, "xb") as file:
                values = portable(state, network)
                summed = _Summed(file)
                pickle.dump({"format": FORMAT, "name": self.name, "state": values}, summed)
                file.write(summed.sha.digest())
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, self._whole)
            _sync_folder(os.path.dirname(self._whole))
        except OSError as error:
            left = "there is none of an earlier epoch"
            if os.path.exists(self._whole):
                left = "it still holds an earlier epoch, from which the same call goes on"
            raise OSError(
                error.errno,
                f"after epoch {state.epoch} the checkpoint {self.path} could not be written "
                f"({error.strerror}); {left}",
            ) from error
        finally:  # an interrupted one, too, leaves no part
            _remove(part)


class _Summed:
    """A file to write to, and the checksum of what was written."""

    def __init__(self, file):
        self.file, self.sha = file, hashlib.sha256()

    def write(self, data):
        self.sha.update(data)
        return self.file.write(data)


def _whole(path):
    """A path from the root; a link stays one, for what it points to is written."""
    is_name = os.path.basename(path) and "\0" not in path
    if not is_name or (os.path.exists(path) and not os.path.isfile(path)):  # a folder, a pipe
        raise ValueError(f"checkpoint is {path!r}; expected the path of a file")
    return os.path.realpath(path)


def _new_part(whole):
    """A name beside a checkpoint's, which no other process writes to."""
    return f"{whole}.{secrets.token_hex(TOKEN)}.part"


def _remove_abandoned(whole):
    """Remove the parts of a checkpoint that were begun and left, by processes that were killed."""
    for part in iglob(f"{escape(whole)}.{'[0-9a-f]' * 2 * TOKEN}.part"):
        with suppress(OSError):
            if time.time() - os.path.getmtime(part) > ABANDONED:
                os.remove(part)


def _sync_folder(folder):
    """Bring the new name to the disk. Where a folder cannot be opened or synchronised (on Windows; one that
    may be written but not read; those that a virtual machine shares) the system does it alone.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in NOT_FOR_FOLDERS:
            raise


def _remove(path):
    with suppress(OSError):
        os.remove(path)
