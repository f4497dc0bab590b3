# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the architecture, read from the code: imports go down, libraries stay where they belong."""

from __future__ import annotations

import ast
import pathlib
import re
import subprocess
import sys
import textwrap
import typing as t

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
SHARED = PLUGINS / "module_utils"
FILES = sorted(PLUGINS.rglob("*.py"))
NAMES = [path.relative_to(PLUGINS).as_posix() for path in FILES]
#: Packages of module_utils, the lowest first; one imports from those before it, and from itself. Two of one tuple
#: know nothing of each other.
LAYERS: t.Sequence[t.Tuple[str, ...]] = (("_common",), ("_orders", "_deployment", "_dcv"))
#: The same within _orders.
ORDER_LAYERS: t.Sequence[t.Tuple[str, ...]] = (
    ("errors",),
    ("model", "account"),
    ("http",),
    ("describe",),
    ("certificates",),
    ("reissue",),
    ("providers",),
    ("wait",),
    ("operations",),
    ("module",),
)
#: Third-party package to where it may be imported, as a pattern for the path.
LIBRARIES = {
    "requests": r"module_utils/_orders/http/\w+\.py",
    "urllib3": r"module_utils/_orders/http/\w+\.py",
    "cryptography": r"module_utils/_orders/certificates/chain\.py",
    "dns": r"module_utils/_dcv/dns\.py",
}
#: Files may have so many lines.
MAX_LINES = 450


def parse(name: str) -> ast.Module:
    return ast.parse((PLUGINS / name).read_text(encoding="utf-8"))


def imports(name: str) -> set[str]:
    """What a file imports: names of packages, and what is ours as a path below plugins, such as module_utils/_dcv."""
    found: set[str] = set()
    here = pathlib.PurePosixPath(name).parent.parts
    for node in ast.walk(parse(name)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            prefix = "ansible_collections.certops.issuance.plugins."
            if node.level:
                base = here[: len(here) - node.level + 1]
                parts = [*base, *filter(None, module.split("."))]
            elif module.startswith(prefix):
                parts = module[len(prefix) :].split(".")
            else:
                found.add(module)
                continue
            found.add("/".join(parts))
            found.update("/".join([*parts, alias.name]) for alias in node.names)
    return found


def position(layers: t.Sequence[t.Tuple[str, ...]], name: str) -> int:
    return next(place for place, layer in enumerate(layers) if name in layer)


def imported_below(name: str, folder: str) -> set[str]:
    """The first part, below a folder, of whatever a file imports from there."""
    found = [one for one in imports(name) if one.startswith(folder + "/")]
    return {one[len(folder) + 1 :].split("/")[0] for one in found}


@pytest.mark.parametrize("name", [one for one in NAMES if one.startswith("module_utils/_")])
def test_packages_import_from_below_alone(name: str) -> None:
    own = name.split("/")[1]
    for other in imported_below(name, "module_utils") - {own}:
        assert position(LAYERS, other) < position(LAYERS, own), f"{name} imports {other}"


@pytest.mark.parametrize("name", [one for one in NAMES if re.match("module_utils/_orders/(?!__init__)", one)])
def test_within_orders_imports_go_down(name: str) -> None:
    own = name.split("/")[2].split(".")[0]
    for other in imported_below(name, "module_utils/_orders") - {own}:
        assert position(ORDER_LAYERS, other) < position(ORDER_LAYERS, own), f"{name} imports {other}"


@pytest.mark.parametrize("name", [one for one in NAMES if re.match(r"module_utils/_orders/providers/\w+/", one)])
def test_a_provider_knows_no_other(name: str) -> None:
    own = name.split("/")[3]
    shared = {"base", "bulk", "coerce", "paging", own}
    assert imported_below(name, "module_utils/_orders/providers") <= shared


@pytest.mark.parametrize("name", NAMES)
def test_libraries_are_imported_in_their_place_alone(name: str) -> None:
    for library in {one.split(".")[0].split("/")[0] for one in imports(name)} & LIBRARIES.keys():
        assert re.fullmatch(LIBRARIES[library], name), f"{name} imports {library}"


@pytest.mark.parametrize("name", [one for one in NAMES if re.match(r".*/providers/\w+/mapping\.py", one)])
def test_a_mapping_needs_neither_transport_nor_client(name: str) -> None:
    assert not {one for one in imports(name) if re.search(r"/(?:http/(?!redaction)|client|account)", one)}


def is_name_of_a_provider(node: ast.expr) -> bool:
    values = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    providers = ("cpanel", "digicert", "gogetssl", "sectigo")
    return any(isinstance(value, ast.Constant) and value.value in providers for value in values)


@pytest.mark.parametrize("name", [one for one in NAMES if not re.search(r"/providers/\w+/", one)])
def test_nothing_is_decided_by_the_name_of_a_provider(name: str) -> None:
    for node in ast.walk(parse(name)):
        if isinstance(node, ast.Compare):
            assert not any(map(is_name_of_a_provider, [node.left, *node.comparators])), f"{name}:{node.lineno}"


@pytest.mark.parametrize("name", [one for one in NAMES if one.startswith("module_utils/")])
def test_no_file_is_long(name: str) -> None:
    assert len((PLUGINS / name).read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("name", NAMES)
def test_what_is_public_says_what_it_does(name: str) -> None:
    tree = parse(name)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    protocols = [one for one in classes if any("Protocol" in ast.dump(base) for base in one.bases)]
    places = [tree, *(one for one in classes if one not in protocols)]
    public = [node for place in places for node in place.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    silent = [node.name for node in public if not node.name.startswith("_") and not ast.get_docstring(node)]
    assert not silent


def test_every_module_can_be_imported_without_other_peoples_libraries() -> None:
    """As Ansible does on a target, and the sanity tests on every Python."""
    names = [one[:-3].replace("/", ".") for one in NAMES if one.startswith("module_utils/")]
    code = f"""
        import importlib, sys

        class Refuse:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in {sorted(LIBRARIES)!r}:
                    raise ImportError(name)

        sys.meta_path.insert(0, Refuse())
        for name in {names!r}:
            importlib.import_module("issuance." + name.replace(".__init__", ""))
    """
    # Below a package of another name, since only its layout counts.
    with_plugins = f"import types, sys; one = types.ModuleType('issuance'); one.__path__ = [{str(PLUGINS)!r}]; "
    program = with_plugins + "sys.modules['issuance'] = one\n" + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
