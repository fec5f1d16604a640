"""The house is as its plan says: floors, sizes, docstrings, SQL, routes and jobs."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PACKAGES = ("hotline", "channels", "triage", "routing", "agent_ui")
SOURCES = sorted(
    path for package in PACKAGES for path in Path(package).rglob("*.py") if "node_modules" not in path.parts
)
LONGEST_FILE, LONGEST_ADAPTER, LONGEST_FUNCTION = 250, 150, 50
VOCABULARIES = {
    "hotline/commands.py": "every command of a ticket, one tagged union",
    "agent_ui/protocol.py": "every frame of the console, one tagged union",
}
"""Lists of small types that belong together, longer than other files: parted, every name would have to be told again
where the union is made, and found in one more place by whoever reads `c.Dispatch`."""


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _contracts() -> dict[str, dict[str, Any]]:
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return {contract["id"]: contract for contract in settings["contracts"]}


def _floors() -> list[list[str]]:
    """Return the modules named on each floor, the highest first."""
    return [[name.strip(" ()\n") for name in floor.split(":")] for floor in _contracts()["floors"]["layers"]]


# ── floors ───────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_every_module_stands_on_one_floor(path: Path) -> None:
    name = _module(path)
    if name in PACKAGES:
        assert len(ast.parse(path.read_text(encoding="utf-8")).body) <= 1, "a package holds no code of its own"
        return
    homes = [place for floor in _floors() for place in floor if name == place or name.startswith(f"{place}.")]
    assert len(homes) == 1, f"put {name} on a floor in pyproject.toml ([tool.importlinter])"


def test_every_name_on_a_floor_is_a_module() -> None:
    modules = {_module(path) for path in SOURCES}
    assert [name for floor in _floors() for name in floor if name not in modules] == []


def test_the_pure_floors_are_held_to_be_pure() -> None:
    *_, policies, domain = _floors()
    assert sorted(_contracts()["pure"]["source_modules"]) == sorted(policies + domain)


def test_every_edge_imports_no_other_or_is_told_why_it_does() -> None:
    text = Path("docs/architecture.md").read_text(encoding="utf-8").partition("### Edges that import edges")[2]
    told = {
        f"{package}.{name}"
        for first, package, rest in re.findall(r"^\| (`(\w+)\.([^|]*)) \|", text.partition("\n## ")[0], re.MULTILINE)
        for name in re.findall(r"\w+", rest)
    }
    assert sorted(_floors()[1]) == sorted(told | set(_contracts()["edges"]["modules"]))


def test_every_module_of_hotline_has_its_room() -> None:
    text = Path("docs/architecture.md").read_text(encoding="utf-8").partition("## The rooms of `hotline/`")[2]
    rows = re.findall(r"^\| .* \| (.*) \|$", text.partition("\n## ")[0], re.MULTILINE)
    told = [name for row in rows for name in re.findall(r"`([a-z_0-9]+)`", row)]
    there = {path.name.removesuffix(".py") for path in Path("hotline").iterdir() if not path.name.startswith("_")}
    assert sorted(told) == sorted(there)


# ── sizes and words ──────────────────────────────────────────────────────────────────────────────
def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_files_and_functions_are_short(path: Path) -> None:
    if str(path) not in VOCABULARIES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    long = [f.name for f in _functions(path) if (f.end_lineno or f.lineno) - f.lineno >= LONGEST_FUNCTION]
    assert long == []


CODECS = re.compile(r"channels\.(\w+_codec|wechat_api|rating_page)|hotline\.export")
"""Pure modules that turn bytes into values and back."""
NO_CODEC = {
    "channels.openapi": "the document of all routes, built from what the adapters tell of themselves",
}


def _adapters() -> list[str]:
    """Return the edges of `channels`, and the line to a PBX that we dial, which another edge shares."""
    edges = [name for name in _floors()[1] if name.startswith("channels.")]
    return [name for name in [*edges, "channels.ari_wire"] if name not in NO_CODEC]


@pytest.mark.parametrize("name", _adapters())
def test_an_adapter_is_thin_over_a_pure_codec(name: str) -> None:
    text = Path(f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_ADAPTER
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    named = {node.module for node in imports} | {f"{node.module}.{one.name}" for node in imports for one in node.names}
    codecs = {one for one in named if one and CODECS.fullmatch(one)}
    assert codecs, "what is decided about bytes is decided without I/O"
    assert codecs <= set(_contracts()["pure"]["source_modules"])


def _public(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield public functions, and public methods of public classes; what stands inside a function is its own matter."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _public(node.body)


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_whatever_is_public_is_told(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert _module(path) in PACKAGES or ast.get_docstring(tree), "the module tells what it is for"
    assert [node.name for node in _public(tree.body) if not ast.get_docstring(node)] == []


# ── SQL ──────────────────────────────────────────────────────────────────────────────────────────
SQL = Path("hotline/store/sql")


def _named(file: Path) -> list[str]:
    return re.findall(r"^-- name: (\w+)\s*$", file.read_text(encoding="utf-8"), re.MULTILINE)


def _readers(name: str) -> list[ast.Module]:
    """Return the modules that read `sql/<name>.sql`."""
    texts = [path.read_text(encoding="utf-8") for path in SOURCES]
    return [ast.parse(text) for text in texts if f'statements("{name}")' in text]


def _strings(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _asked(tree: ast.AST) -> set[str]:
    """Return the names in `_SQL["name"]`."""
    return {
        node.slice.value for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "_SQL"
        and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
    }


@pytest.mark.parametrize("file", sorted(SQL.glob("*.sql")), ids=lambda file: file.stem)
def test_every_statement_is_used_and_every_used_one_exists(file: Path) -> None:
    names, readers = _named(file), _readers(file.stem)
    assert len(names) == len(set(names)), "a name stands for one statement"
    assert readers, f"nobody reads {file}"
    assert set(names) - set().union(*map(_strings, readers)) == set(), "not used"
    assert set().union(*map(_asked, readers)) - set(names) == set(), "does not exist"
