"""The pages of the API, made from the package itself: a page for each part, and an index of the public names."""

from __future__ import annotations

import ast
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "clipdraw"
LEFT_OUT = ("cli", "__main__")
"""The command line has a page of its own."""


def pages() -> dict[str, str]:
    """The Markdown of each page by its address below `api/`."""
    parts = {part: modules for part in _parts() if (modules := documented_modules(part))}
    texts = {f"{part}.md": _page(part, modules) for part, modules in parts.items()}
    return {"index.md": _index(list(parts)), **texts}


def _parts() -> list[str]:
    """The packages and modules directly below `clipdraw`, the main ones first."""
    found = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    return sorted(found - {"__init__", *LEFT_OUT})


def documented_modules(part: str) -> dict[str, list[str]]:
    """The modules of a part that define something public, each as `clipdraw.part.module`, with what they define."""
    folder = PACKAGE / part
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{part}.py"]
    found = {}
    for file in files:
        pieces = file.relative_to(PACKAGE.parent).with_suffix("").parts
        names = [piece for piece in pieces if piece != "__init__"]
        if (public := _public_names(file)) and not any(name.startswith("_") for name in names):
            found[".".join(names)] = public
    return found


def _public_names(file: Path) -> list[str]:
    """The public classes, functions and values that a file itself defines."""
    found = []
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        found += [target.id for target in targets if isinstance(target, ast.Name)]
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.append(node.name)
    return [name for name in found if not name.startswith("_")]


def _page(part: str, modules: dict[str, list[str]]) -> str:
    pieces, many = [f"# clipdraw.{part}\n"], len(modules) > 1
    for module, names in modules.items():
        if many:
            pieces.append(f"\n## {module.removeprefix('clipdraw.')}\n")
        options = {
            "show_root_heading": "false",
            "show_root_toc_entry": "false",
            "heading_level": 3 if many else 2,
            "members": f"[{', '.join(names)}]",
        }
        told = "".join(f"      {name}: {value}\n" for name, value in options.items())
        pieces.append(f"\n::: {module}\n    options:\n{told}")
    return "".join(pieces)


def _index(parts: list[str]) -> str:
    """The public names of `import clipdraw`, each with its first sentence, and the list of parts."""
    package = griffe.load("clipdraw", search_paths=[str(PACKAGE.parent)], resolve_aliases=True)
    rows = []
    for name in sorted(package.exports or (), key=lambda name: str(name).lower()):
        member = package.members[str(name)]
        if member.is_alias:
            target = member.final_target
            rows.append(f"| [`clipdraw.{name}`][{target.canonical_path}] | {_summary(target)} |")
    lists = [f"| [`clipdraw.{part}`]({part}.md) | {_summary(package.members[part])} |" for part in parts]
    return "\n".join(
        [
            "# API\n",
            "The names of `import clipdraw`. Each is imported when it is first used.\n",
            "| name | |\n|---|---|",
            *rows,
            "\n## Modules\n",
            "| module | |\n|---|---|",
            *lists,
            "",
        ]
    )


def _summary(thing: griffe.Object | griffe.Alias) -> str:
    """The first paragraph of a docstring, in one line."""
    if thing.docstring is None:
        return ""
    return " ".join(thing.docstring.value.split("\n\n")[0].split()).replace("|", "\\|")
