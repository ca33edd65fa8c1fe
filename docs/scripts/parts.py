"""The parts of the package: the packages and modules directly below `clipdraw`, in their layers."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "clipdraw"


def layers() -> list[list[str]]:
    """The parts of each layer, the highest first, as import-linter is told."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    return [[part.strip() for part in layer.split("|")] for layer in contract["layers"]]


def purpose(part: str) -> str:
    """The first sentence of a part's docstring."""
    path = PACKAGE / part
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(told.split("\n\n")[0].split()).partition(". ")[0].rstrip(".")


def modules(part: str) -> list[str]:
    """The modules and packages directly inside a part."""
    inside = (PACKAGE / part).iterdir() if (PACKAGE / part).is_dir() else ()
    found = {path.stem for path in inside if path.suffix == ".py" or (path / "__init__.py").is_file()}
    return sorted(found - {"__init__"})
