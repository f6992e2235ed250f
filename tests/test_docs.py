"""The documentation is true: its examples run and do what stands beside them, every file it names
exists, and every public name stands in the reference.

The examples of a page run one after another, in an empty folder. Where an expression is followed by
a comment that is a Python value, it must have that value; what is printed must stand on the page.
"""

import ast
import inspect
import re
import textwrap
from pathlib import Path

import pytest

import seqlearn_lstm

ROOT = Path(__file__).parents[1]
EXAMPLES = {  # of a kind of page
    ".rst": re.compile(r"\.\. (?:code-block:: python|plot::)\n(?:   :.*\n)*\n((?:   .*\n|\n)+)"),
    ".md": re.compile(r"```python\n(.*?)```", re.DOTALL),
}
GENERATED = {"generated", "gallery", "_build"}
PAGES = [
    path
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.rst")))
    if path.exists() and not GENERATED & set(path.parts)
]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def words(text):
    return " ".join(text.split())


# ---- examples ------------------------------------------------------------------------------------


def examples(page):
    """Yield the Python of a page, with lines before it so that a traceback names the page's own."""
    text = page.read_text(encoding="utf-8")
    for match in EXAMPLES[page.suffix].finditer(text):
        yield "\n" * text.count("\n", 0, match.start(1)) + textwrap.dedent(match[1])


def values_beside(line):
    """The Python value in a comment at the end of a line, in a list; an empty list: there is none."""
    try:
        return [ast.literal_eval(line.strip().removeprefix("#").strip())]
    except (SyntaxError, ValueError):
        return []


def run(code, page, names):
    """Execute code, statement by statement, and compare expressions with the values beside them."""
    lines = code.splitlines()
    for node in ast.parse(code).body:
        if not isinstance(node, ast.Expr):
            exec(compile(ast.Module([node], []), str(page), "exec"), names)
            continue
        value = eval(compile(ast.Expression(node.value), str(page), "eval"), names)
        after = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
        for said in values_beside(after) if after.strip().startswith("#") else ():
            assert value == said, f"{name_of(page)}, line {node.lineno}: {value!r}"


WITH_EXAMPLES = [page for page in PAGES if any(examples(page))]


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=name_of)
def test_examples_run(page, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    text, names = page.read_text(encoding="utf-8"), {}
    for code in examples(page):
        for package in re.findall(r"^(?:from|import) (\w+)", code, re.MULTILINE):
            pytest.importorskip(package)
        run(code, page, names)
        printed = words(capsys.readouterr().out)
        assert page.suffix == ".md" or printed in words(text)


# ---- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_a_page_names_exist(page):
    named = re.findall(
        r"\b(?:docs|examples|seqlearn_lstm|tests)/[\w/]+\.\w+", page.read_text("utf-8")
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def public_names():
    """Yield the names of the package and of its public modules."""
    for name in seqlearn_lstm.__all__:
        value = getattr(seqlearn_lstm, name)
        if not inspect.ismodule(value):
            yield name
            continue
        yield from (f"{name}.{inner}" for inner in value.__all__)


@pytest.mark.parametrize("name", [*public_names()])
def test_public_names_stand_in_the_reference(name):
    page = ROOT / "docs" / "api.rst"
    if not page.exists():
        pytest.skip("docs/ is not beside these tests")
    text = page.read_text(encoding="utf-8")
    assert f"   {name}\n" in text or f".. data:: {name}\n" in text
