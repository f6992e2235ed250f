"""Parts of speech: the tag of each word of English sentences, from the words themselves.

A sentence is a list of strings, its target a list of tags, 82 in all. The tagger learns a vector
for each word, together with all else, and reads a sentence in both directions. It is compared with
a rule that needs no network and is known to be good: each word gets the tag that it had most often.

Words that it never saw are hard for both. In a second run every rare word is replaced by its
outline: "A-on" for a capital letter first and the last two letters, "1-.5" for a number.

The Brown corpus (W. N. Francis and H. Kucera, for non-commercial purposes) is read from the folder
that the environment variable SEQLEARN_LSTM_DATA names: 20,000 sentences to learn from, the last
2,000 of the corpus, love stories and humour, to test. Without it, sentences of a made-up language do:
there a word is a noun or a verb by what stands before and after it.

Run it with ``python3 examples/brown_tags.py``.
"""

import argparse
import time
from collections import Counter, defaultdict
from itertools import chain

import numpy as np

from seqlearn_lstm import LSTMSequenceTagger
from seqlearn_lstm.datasets import load_brown

N_TRAIN, N_TEST = 20_000, 2_000


def main(arguments=None):
    argparse.ArgumentParser(description="Tag the words of sentences.").parse_args(arguments)
    try:
        X, y = load_brown(return_X_y=True)
    except FileNotFoundError as error:
        print(f"No Brown corpus ({error}).\nA made-up language instead.")
        accuracy, baseline = compare(*made_up(3_000, seed=0), *made_up(500, seed=1))
        assert accuracy >= 0.99 and baseline <= 0.8
        return
    # The corpus is sorted by genre, hence the permutation.
    chosen = np.random.default_rng(0).permutation(len(X) - N_TEST)[:N_TRAIN]
    X_train, y_train = [X[i] for i in chosen], [y[i] for i in chosen]
    X_test, y_test = X[-N_TEST:], y[-N_TEST:]
    print("Words as they are:")
    plain, _ = compare(X_train, y_train, X_test, y_test)
    print("Rare words as their outlines:")
    frequent = frequent_words(X_train)
    X_train, X_test = outlined(X_train, frequent), outlined(X_test, frequent)
    better, _ = compare(X_train, y_train, X_test, y_test)
    assert plain >= 0.93 and better > plain, "expected at least .93, and more with outlines"


def compare(X_train, y_train, X_test, y_test, max_iter=5):
    """Learn, and print the accuracy on the test sentences.

    Returns
    -------
    accuracy, baseline : float
        Of the network, and of each word's most frequent tag.
    """
    words, right = list(chain.from_iterable(X_test)), np.array(list(chain.from_iterable(y_test)))
    tag_of = most_frequent_tags(X_train, y_train)
    baseline = np.mean(np.array([tag_of[word] for word in words]) == right)

    model = LSTMSequenceTagger(
        (128,),  # units in each direction
        bidirectional=True,
        embedding_dim=128,
        min_count=2,  # words that occur once teach what an unknown word is
        embedding_dropout=0.2,  # ... and so do words that are left out
        dropout=0.5,
        learning_rate=3e-3,
        max_iter=max_iter,
        verbose=1,
        random_state=0,
    )
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    hits = np.concatenate(model.predict(X_test)) == right
    known = np.array([word in model.vocabulary_ for word in words])

    print(f"{len(X_train)} sentences learned in {seconds:.0f} s, {len(hits)} words to test:")
    print(f"  each one's most frequent tag  {baseline:.4f}")
    print(f"  LSTM, both directions         {hits.mean():.4f}")
    for name, chosen in (("what it knows", known), ("what it does not", ~known)):
        if chosen.any():
            print(f"    {name:<27} {hits[chosen].mean():.4f} ({chosen.mean():.1%} of all)")
    return hits.mean(), baseline


def frequent_words(X):
    """The words that occur more than once."""
    return {word for word, count in Counter(chain.from_iterable(X)).items() if count > 1}


def outlined(X, frequent):
    """Sentences with the outline of each word that is not frequent."""
    return [[word if word in frequent else outline(word) for word in words] for words in X]


def outline(word):
    """The kind of a word's first character and its last two."""
    first = word[0]
    kind = "A" if first.isupper() else "a" if first.isalpha() else "1"
    return f"{kind}-{word[-2:]}"


def most_frequent_tags(X, y):
    """The tag of each word; of new words, the most frequent tag of those that occur once."""
    counts = defaultdict(Counter)
    for words, tags in zip(X, y, strict=True):
        for word, tag in zip(words, tags, strict=True):
            counts[word][tag] += 1
    once = Counter(next(iter(tags)) for tags in counts.values() if tags.total() == 1)
    new = (once or sum(counts.values(), Counter())).most_common(1)[0][0]
    return defaultdict(
        lambda: new, {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    )


def made_up(n, seed):
    """Sentences in which only a neighbour, left or right, tells nouns from verbs: (words, tags)."""
    rng = np.random.default_rng(seed)
    phrases = (
        (("the", "{}"), ("article", "noun")),
        (("to", "{}"), ("to", "verb")),
        (("{}", "was"), ("noun", "verb")),
        (("{}", "it"), ("verb", "pronoun")),
    )
    X, y = [], []
    for n_phrases in rng.integers(1, 5, n):
        chosen = [phrases[kind] for kind in rng.integers(0, len(phrases), n_phrases)]
        X.append([word.format(f"word{rng.integers(50)}") for words, _ in chosen for word in words])
        y.append([tag for _, tags in chosen for tag in tags])
    return X, y


if __name__ == "__main__":
    main()
