"""Images, whose rows are the steps of a sequence."""

import numpy as np
from sklearn.utils import Bunch

from .formats import read_idx
from .home import find_set

_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def load_mnist(*, subset="train", return_X_y=False):
    """Load the MNIST digits: which digit is it? (classification)

    Reads the four original files, ``train-images-idx3-ubyte`` and so on (with or without ``.gz``),
    from the folder that ``SEQLEARN_LSTM_DATA`` names: from ``mnist`` in it; else from a folder below
    with a part of that name in its path, such as ``MNIST/raw``; else from the only one that has them.
    An image is a sequence of its 28 rows, from the top.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Which of the official parts to load; "all" is the training part followed by the test part.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a `Bunch`.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ndarray of shape (n_images, 28, 28), uint8
            Grey levels from 0 to 255, as published; 60,000 images to train with, 10,000 to test.
        target : ndarray of shape (n_images,), int64
            The digits.
        target_names : ndarray of str
            "0" to "9".
        DESCR : str
            The source and the licence.

    Raises
    ------
    ValueError
        If `subset` is none of the three, several folders have the files, or they do not belong
        together.
    FileNotFoundError
        If no folder has both the images and the labels.

    References
    ----------
    LeCun, Y., L. Bottou, Y. Bengio and P. Haffner (1998), "Gradient-Based Learning Applied to
    Document Recognition", Proceedings of the IEEE 86(11), 2278-2324. The data are under CC BY-SA
    3.0.
    """
    if subset not in (*_FILES, "all"):
        raise ValueError(f"subset is {subset!r}; expected 'train', 'test' or 'all'")
    parts = [_read(*_FILES[part]) for part in (_FILES if subset == "all" else [subset])]
    data, target = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if return_X_y:
        return data, target
    descr = "MNIST, images of digits. LeCun, Cortes and Burges. CC BY-SA 3.0."
    names = np.array([str(digit) for digit in range(10)])
    return Bunch(data=data, target=target, target_names=names, DESCR=descr)


def _read(*names):
    """The images and the digits of a part."""
    paths = find_set("mnist", names)
    images, digits = map(read_idx, paths)
    if images.ndim != 3 or digits.shape != images.shape[:1]:
        raise ValueError(
            f"{paths[0]} has shape {images.shape} and {paths[1]} {digits.shape}; expected images "
            "(n, rows, columns), and a digit for each"
        )
    return images, digits.astype(np.int64)
