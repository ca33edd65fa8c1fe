"""The steps of `mkdocs build` beyond its plugins: pages made from the code, formulas, and a check of the result.

Generated are the API pages, the tables of parts, settings and commands, the diagrams of the code, and the page
"Contributing", which is the repository's own. Formulas between dollars become MathML, which browsers draw by
themselves. A link from a page to a file outside of docs/ copies that file into the site.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import api_pages
import tables
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
TABLES = {"parts": tables.parts, "commands": tables.commands, "settings": tables.settings, "presets": tables.presets}
CONTRIBUTING = "](../CONTRIBUTING.md"
OUTSIDE_LINK = re.compile(r"\]\(\.\./([\w./-]+)\)")
FORMULA = re.compile(r'<(span|div) class="arithmatex">(?:\\\(|\\\[)(.*?)(?:\\\)|\\\])</\1>', re.DOTALL)
REQUEST = re.compile(r"""<(?:script|img|iframe|source|link)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//[^"'> ]*""")
STYLE_REQUEST = re.compile(r"""(?:@import|url\()\s*["']?(?:https?:)?//[^"') ]*""")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of the API and the decisions into the navigation."""
    names = [name for name in api_pages.pages() if name != "index.md"]
    modules = [{f"clipdraw.{name.removesuffix('.md')}": f"api/{name}"} for name in names]
    decisions = [f"decisions/{path.name}" for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))]
    config.nav += [{"Decisions": ["decisions/index.md", *decisions]}, {"API": ["api/index.md", *modules]}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is generated, and the files outside of docs/ that pages link to."""
    generated = {f"api/{name}": text for name, text in api_pages.pages().items()}
    generated["contributing.md"] = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").replace("](docs/", "](")
    for address, content in generated.items():
        files.append(File.generated(config, address, content=content))
    linked = {match[1] for file in files.documentation_pages() for match in _outside_links(file)}
    for path in sorted(path for path in linked if (ROOT / path).is_file()):
        files.append(File.generated(config, f"files/{path}", abs_src_path=str(ROOT / path)))
    return files


def _outside_links(file: File) -> list[re.Match[str]]:
    return list(OUTSIDE_LINK.finditer(file.content_string.replace(CONTRIBUTING, ""))) if "/" not in file.src_uri else []


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Fill in the tables that are made from the code, and turn links to outside of docs/ to the copies in the site."""
    for name, table in TABLES.items():
        marker = f"<!-- {name} -->"
        if marker in markdown:
            markdown = markdown.replace(marker, table())
    markdown = markdown.replace(CONTRIBUTING, "](contributing.md")
    return OUTSIDE_LINK.sub(r"](files/\1)", markdown) if "/" not in page.file.src_uri else markdown


def on_page_content(html: str, **_: Any) -> str:
    """Turn formulas into MathML."""

    def formula(match: re.Match[str]) -> str:
        return convert(unescape(match[2]).strip(), display="inline" if match[1] == "span" else "block")

    return FORMULA.sub(formula, html)


def on_post_build(config: MkDocsConfig) -> None:
    """Refuse a site that would ask another server for something.

    Raises:
        PluginError: a page or style sheet loads a script, a style, a font or a picture from elsewhere.
    """
    for file in Path(config.site_dir).rglob("*"):
        pattern = {".html": REQUEST, ".css": STYLE_REQUEST}.get(file.suffix)
        found = pattern.search(file.read_text(encoding="utf-8")) if pattern else None
        if found and "canonical" not in found[0]:
            raise PluginError(f"{file.relative_to(config.site_dir)} loads {found[0]!r}")
