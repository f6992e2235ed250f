"""Who may import whom: downwards only.

The imports are read from the source with `ast`, those inside functions too. The tables below are
the rule; a new module needs a row, and a test fails until it has one.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import seqlearn_lstm

PACKAGE = "seqlearn_lstm"
ROOT = Path(seqlearn_lstm.__file__).parent

FRONT_DOORS = ["classifier", "regressor", "tagger", "language_model", "encoder"]
LEAF_PACKAGES = ["preprocessing", "metrics", "datasets", "display", "functional", "persistence"]
LEAVES = [
    *LEAF_PACKAGES,
    *[f"{package}.*" for package in LEAF_PACKAGES],
    *["model_selection"],
]

# From the top: a module may import from the layers below its own. Names are relative to the
# package, "" is the package itself, "x.*" is every module in x.
LAYERS = [
    [""],
    FRONT_DOORS + LEAVES,
    ["_base", "inspection"],
    ["_base.judging", "_base.supervised", "_base.writing", "inspection.*"],
    ["_base.estimator"],
    ["_base.fitting"],
    ["_base.listening"],
    ["_base.state_features", "_base.transitions"],
    ["_base.asked", "_base.learned", "_base.validating"],
    ["_base.fits", "_base.given", "_base.one_blas_thread", "_base.parameters", "_base.reading"],
    ["_base.parameter"],
    ["training.listeners"],
    ["training.listeners.*"],
    ["training", "streaming"],
    ["training.loop", "training.checkpoint"],
    ["training.identity", "training.portable"],
    ["training.averaging", "training.bptt", "training.listener", "training.state"],
    ["unrolling"],
    ["heads", "network", "schedules", "solvers", "summary"],
    ["solvers.*"],
    ["architecture", "cells", "dropout", "flat_parameters"],
    ["_named", "exceptions", "labels", "layers", "pooling", "sampling", "targets"],
    ["layers.*"],
    ["arrays", "batches", "randomness", "sequences", "sequences.*", "symbols", "symbols.*"],
    ["_cached"],
    ["kernels"],
    ["kernels.cpu", "kernels.cuda"],
    ["kernels.cpu.*", "kernels.cuda.*"],
    ["_turn"],
]

# Within a layer nobody imports anybody, but for (who, whom) here.
SIDEWAYS = [
    ("sequences", "sequences.*"),
    ("targets", "labels"),
    ("sequences.*", "sequences.*"),
    ("symbols", "symbols.*"),
    ("symbols.*", "sequences"),
    ("layers.*", "layers.*"),
    ("training.listeners.*", "training.listeners.*"),
    ("solvers.*", "solvers.*"),
    ("inspection.*", "inspection.*"),
    ("kernels.cpu.*", "kernels.cpu.*"),
    ("kernels.cuda.*", "kernels.cuda.*"),
    *[(package, f"{package}.*") for package in LEAF_PACKAGES],
    *[(f"{package}.*", f"{package}.*") for package in LEAF_PACKAGES],
]

# A module of others -> who may import it. The longest name that fits an import decides, and what
# is not in the table is free.
EXTERNAL = {
    "numba": ["kernels.cpu.*", "kernels.cuda.*"],
    "llvmlite": ["kernels.cpu.*", "kernels.cuda.*"],
    "numba.cuda": ["kernels.cuda.*"],
    "sklearn.base": ["classifier", "regressor", "encoder"]
    + ["preprocessing.*", "persistence.*", "_named"],
    "torch": [],
    "skorch": [],
}

# What `import seqlearn_lstm` must not load: it is heavy, or need not be installed. (scikit-learn
# itself loads pandas where it is installed; that is not ours to change.)
NOT_AT_IMPORT = ["numba.cuda", "torch", "pandas", "matplotlib"]


def modules():
    """Return {name relative to the package: source text} for all modules of the package."""
    return {
        name_of(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in sorted(ROOT.rglob("*.py"))
    }


def name_of(path):
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source, name, is_package):
    """Return the absolute names that a module imports, anywhere in its source.

    ``from a import b`` gives a.b, for b may be a module; whether it is one is for others to say.
    """
    package = ".".join(filter(None, [PACKAGE, name])).split(".")
    package = package if is_package else package[:-1]

    def absolute(module, level):
        base = package[: len(package) - level + 1] if level else []
        return ".".join(base + ([module] if module else []))

    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = absolute(node.module, node.level)
            found += [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "__import__"):
            argument = node.args[0] if node.args else None
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                module = argument.value.lstrip(".")
                found.append(absolute(module, len(argument.value) - len(module)))
    return found


def called(node):
    return getattr(node.func, "attr", getattr(node.func, "id", None))


def row(name):
    """Return a module's entry in `LAYERS`: its name, or "x.*"; None where it has no row."""
    entries = {entry for layer in LAYERS for entry in layer}
    star = f"{name.rpartition('.')[0]}.*"
    return name if name in entries else star if star in entries else None


def may_import(importer, imported):
    """Say whether the module `importer` may import the module `imported` of the package."""
    ours, theirs = row(importer), row(imported)
    depth = {entry: number for number, layer in enumerate(LAYERS) for entry in layer}
    return depth[ours] < depth[theirs] or (ours, theirs) in SIDEWAYS


def may_import_external(importer, imported):
    """Say whether the module `importer` may import `imported`, a name outside of the package."""
    rule = rule_for(imported)
    return rule is None or row(importer) in EXTERNAL[rule]


def rule_for(imported):
    """Return the longest name in `EXTERNAL` that fits a name outside of the package, or None."""
    parts = imported.split(".")
    prefixes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((prefix for prefix in prefixes if prefix in EXTERNAL), None)


def all_imports(sources, packages):
    """Yield (module, what it imports, the name within the package or None) of {module: source}.

    `packages` names the modules that are packages, from which relative imports count otherwise.
    """
    for name, source in sources.items():
        for target in imports(source, name, name in packages):
            inside = None
            if target.split(".")[0] == PACKAGE:
                inside = target.removeprefix(PACKAGE).removeprefix(".")
                # The last part of "from a import b" is a name in a where it is not a module.
                inside = inside if inside in sources else inside.rpartition(".")[0]
            yield name, target, inside


def violations(sources, packages):
    """Return a line for each forbidden import in {module: source}."""
    found = []
    for name, target, inside in all_imports(sources, packages):
        if inside is None:
            allowed = may_import_external(name, target)
        else:
            # An unknown module is left to the test of the rows, and to the interpreter.
            allowed = row(inside) is None or may_import(name, inside)
        if not allowed:
            found.append(f"{PACKAGE}.{name} must not import {target}")
    return found


def unused(sources, packages):
    """Return the permissions in `SIDEWAYS` and `EXTERNAL` that no import in {module: source} needs."""
    needed = set()
    for name, target, inside in all_imports(sources, packages):
        ours = row(name)
        needed.add((ours, rule_for(target)) if inside is None else (ours, row(inside)))
    external = [(entry, rule) for rule, entries in EXTERNAL.items() for entry in entries]
    return [pair for pair in [*SIDEWAYS, *external] if pair not in needed]


def package_names():
    return {name_of(path.relative_to(ROOT)) for path in ROOT.rglob("__init__.py")}


# -- the package -----------------------------------------------------------------------------------


def test_every_module_has_a_row():
    missing = [name for name in modules() if row(name) is None]
    assert not missing, f"add {missing} to LAYERS, where they belong"


def test_imports_go_downwards():
    assert violations(modules(), package_names()) == []


def test_every_permission_is_used():
    assert unused(modules(), package_names()) == []


def test_import_is_light():
    code = (
        "import sys, numba, joblib, sklearn.base\n"
        "before = set(sys.modules)\n"
        f"import {PACKAGE}\n"
        f"print(sorted(set({NOT_AT_IMPORT}) & (set(sys.modules) - before)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# -- the checker itself ----------------------------------------------------------------------------


PLANTED_PACKAGES = {
    "",
    "_base",
    "training",
    "kernels",
    "kernels.cpu",
    "kernels.cuda",
    *LEAF_PACKAGES,
}


@pytest.mark.parametrize(
    "name, source",
    [
        ("kernels", "from ..network import forward"),
        ("kernels", "import seqlearn_lstm.sequences"),
        ("network", "from . import training"),
        ("network", "from seqlearn_lstm import LSTMClassifier"),
        ("network", "def late():\n    from .training import train"),
        ("network", "import importlib\nimportlib.import_module('seqlearn_lstm.training')"),
        ("network", "from importlib import import_module\nimport_module('.training', __package__)"),
        ("network", "from .heads import Softmax"),
        ("sequences", "from .batches import Batch"),
        ("sequences", "from .symbols import Vocabulary"),
        ("classifier", "from .datasets import load_japanese_vowels"),
        ("_base.estimator", "from .. import datasets"),
        ("classifier", "from .metrics.steps import step_accuracy"),
        ("metrics.steps", "from ..preprocessing.rows import split"),
        ("metrics.steps", "from .. import preprocessing"),
        ("metrics.scorers", "from . import step_accuracy"),
        ("metrics", "from ..datasets import read_ts"),
        ("model_selection", "from .preprocessing import split"),
        ("kernels.cpu.lstm", "from ..cuda import lstm"),
        ("kernels.cuda.lstm", "from seqlearn_lstm.kernels.cpu.lstm import forward"),
        ("kernels.cpu.lstm", "from .. import get_backend"),
        ("training", "from numba import njit"),
        ("training", "import numba.core.types as types"),
        ("training", "import llvmlite"),
        ("kernels.cpu.lstm", "from numba import cuda"),
        ("kernels", "import numba.cuda"),
        ("kernels", "def late():\n    import numba.cuda.simulator"),
        ("training", "from sklearn.base import BaseEstimator"),
        ("training", "from sklearn import base"),
        ("display", "import torch"),
    ],
)
def test_checker_finds(name, source):
    planted = {known: "" for layer in LAYERS for known in layer if "*" not in known}
    planted |= {"kernels.cpu.lstm": "", "kernels.cuda.lstm": "", "preprocessing.rows": ""}
    planted |= {"metrics.steps": "", name: source}
    assert len(violations(planted, PLANTED_PACKAGES)) == 1


@pytest.mark.parametrize(
    "name, source",
    [
        ("", "from .classifier import LSTMClassifier\nfrom . import datasets"),
        (
            "classifier",
            "from sklearn.base import ClassifierMixin\nfrom ._base.estimator import Base",
        ),
        ("classifier", "from . import training\nfrom .kernels import get_backend"),
        ("symbols.vocabulary", "from ..sequences import Ragged"),
        ("metrics", "from .steps import step_accuracy"),
        ("metrics.scorers", "from .steps import step_accuracy"),
        ("preprocessing.rows", "from sklearn.base import clone"),
        ("metrics.scorers", "from ..sequences import Ragged"),
        ("kernels", "def late():\n    from . import cuda\n    from .cpu import lstm"),
        ("kernels.cpu.lstm", "from . import simd\nfrom .simd import load\nfrom numba import njit"),
        ("kernels.cuda.lstm", "from numba import cuda\nimport numba.cuda"),
        ("training", "import numpy as np\nfrom sklearn.utils import check_random_state"),
    ],
)
def test_checker_allows(name, source):
    known = {"kernels.cpu.lstm": "", "kernels.cpu.simd": "", "kernels.cuda.lstm": ""}
    known |= {"metrics.steps": "", "metrics.scorers": ""}
    known |= {entry: "" for layer in LAYERS for entry in layer if "*" not in entry}
    assert violations(known | {name: source}, PLANTED_PACKAGES) == []


def test_an_unused_permission_is_noticed():
    sources = {"targets": "from .labels import is_missing", "labels": "", "_named": "import torch"}
    found = unused(sources, PLANTED_PACKAGES)
    assert ("targets", "labels") not in found
    assert {("sequences", "sequences.*"), ("_named", "sklearn.base")} <= set(found)


def test_a_module_without_a_row_is_noticed():
    assert row("kernels.cpu.lstm") == "kernels.cpu.*"
    assert row("helpers") is None
    assert row("kernels.helpers") is None
