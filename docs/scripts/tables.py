"""Tables made from the code: the parts of the package, the commands with their options, the settings, the presets."""

from __future__ import annotations

import sys
import tomllib
from typing import Any

import griffe
from parts import PACKAGE, ROOT, layers, modules, purpose

CONFIG = PACKAGE / "config"


def parts() -> str:
    """A row for each part, from the highest layer down: its purpose and its modules."""
    rows = []
    for part in (part for layer in layers() for part in layer):
        page = "commands.md" if part == "cli" else f"api/{part}.md"
        inside = ", ".join(f"`{name}`" for name in modules(part))
        rows.append(f"| [`{part}`]({page}) | {_cell(purpose(part))}. | {inside} |")
    return "\n".join(["| part | purpose | modules |", "|---|---|---|", *rows])


def commands() -> str:
    """A section for each command, as `clipdraw COMMAND --help` tells it."""
    sys.path.insert(0, str(ROOT / "src"))
    import typer.main

    from clipdraw.cli import app

    group: Any = typer.main.get_command(app)
    return "\n".join(_command(name, command) for name, command in group.commands.items())


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    rows = [f"| `{p.name.upper()}` | {_cell(p.help)} |" for p in arguments]
    rows += [f"| {_names(p)} | {_cell(p.help)} |" for p in options if p.name != "help" and not p.hidden]
    table = ["| | |", "|---|---|", *rows] if rows else []
    return "\n".join([f"## {name}\n", command.help or "", "", *table, ""])


def _names(option: Any) -> str:
    return ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))


def _cell(words: str | None) -> str:
    return " ".join((words or "").split()).replace("|", "\\|")


def settings() -> str:
    """A table for each group of settings, with defaults and the `Args` of its docstring."""
    package = griffe.load("clipdraw.config", search_paths=[str(ROOT / "src")], docstring_parser="google")
    groups = {group.name: group for group in _dataclasses(package)}
    whole = groups.pop("Config")
    pieces = [_settings_table("", whole, skipped=groups)]
    for name, member in whole.members.items():
        if str(getattr(member, "annotation", "")) in groups:
            group = groups[str(member.annotation)]
            about = group.docstring.value.partition("\n\n")[0]
            pieces.append(f"### {name}\n\n{_cell(about)}\n")
            pieces.append(_settings_table(f"{name}.", group, skipped={}))
    return "\n".join(pieces)


def _settings_table(prefix: str, group: Any, *, skipped: dict[str, Any]) -> str:
    described = {
        entry.name: entry.description
        for section in group.docstring.parse("google", warnings=False)
        if section.kind.value == "parameters"
        for entry in section.value
    }
    rows = [
        f"| `{prefix}{name}` | {_default(member)} | {_cell(described.get(name))} |"
        for name, member in group.members.items()
        if member.is_attribute and member.annotation is not None and not name.startswith("_")
        if str(member.annotation) not in skipped
    ]
    return "\n".join(["| setting | default | |", "|---|---|---|", *rows, ""])


def _dataclasses(package: griffe.Object | griffe.Alias) -> list[Any]:
    """The dataclasses of a package, those of its own module first."""
    found = [member for member in package.members.values() if not member.is_alias and member.is_class]
    for member in package.members.values():
        if not member.is_alias and member.is_module:
            found += _dataclasses(member)
    return [group for group in found if "dataclass" in group.labels and not group.name.startswith("_")]


def _default(member: Any) -> str:
    told = "" if member.value is None else str(member.value)
    return "" if not told or told.startswith("field(") else f"`{told}`"


def presets() -> str:
    """The table of presets: the purpose of each, and its settings beside those of its base."""
    known = tomllib.loads((CONFIG / "presets.toml").read_text(encoding="utf-8"))
    pieces = []
    for name, values in known.items():
        about, base = values.pop("about"), values.pop("base", None)
        told = [f"`{key} = {_toml(value)}`" for key, value in values.items()]
        pieces.append(f"| `{name}` | {_cell(about)} | {', '.join([f'as `{base}`', *told] if base else told)} |")
    return "\n".join(["| preset | | sets |", "|---|---|---|", *pieces])


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    return f'"{value}"' if isinstance(value, str) else str(value)
