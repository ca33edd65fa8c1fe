"""The pages of the API, made from the package itself: a page for each room, and an index of the public names."""

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
    rooms = {room: modules for room in _rooms() if (modules := documented_modules(room))}
    texts = {f"{room}.md": _page(room, modules) for room, modules in rooms.items()}
    return {"index.md": _index(list(rooms)), **texts}


def _rooms() -> list[str]:
    """The packages and modules directly below `clipdraw`, the main ones first."""
    found = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    return sorted(found - {"__init__", *LEFT_OUT})


def documented_modules(room: str) -> list[str]:
    """The modules of a room that define something public, each as `clipdraw.room.module`."""
    folder = PACKAGE / room
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{room}.py"]
    found = []
    for file in files:
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        names = [part for part in parts if part != "__init__"]
        if _has_public_names(file) and not any(name.startswith("_") for name in names):
            found.append(".".join(names))
    return found


def _has_public_names(file: Path) -> bool:
    """Whether a file defines a public class, or a public function with annotations."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            return True
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            if node.returns is not None or any(argument.annotation for argument in arguments):
                return True
    return False


def _page(room: str, modules: list[str]) -> str:
    parts = [f"# clipdraw.{room}\n"]
    for module in modules:
        level = "" if len(modules) == 1 else f"\n## {module.removeprefix('clipdraw.')}\n"
        heading = 2 if len(modules) == 1 else 3
        options = "    options:\n      show_root_heading: false\n      show_root_toc_entry: false\n"
        parts.append(f"{level}\n::: {module}\n{options}      heading_level: {heading}\n")
    return "".join(parts)


def _index(rooms: list[str]) -> str:
    """The public names of `import clipdraw`, each with its first sentence, and the list of rooms."""
    package = griffe.load("clipdraw", search_paths=[str(PACKAGE.parent)], resolve_aliases=True)
    rows = []
    for name in sorted(package.exports or (), key=lambda name: str(name).lower()):
        member = package.members[str(name)]
        if member.is_alias:
            target = member.final_target
            rows.append(f"| [`clipdraw.{name}`][{target.canonical_path}] | {_summary(target)} |")
    lists = [f"| [`clipdraw.{room}`]({room}.md) | {_summary(package.members[room])} |" for room in rooms]
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
