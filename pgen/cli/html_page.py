"""Pages that commands write: sections of HTML in one file that needs nothing but the pictures beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Section:
    """A part of the page. ``lead`` is plain text, ``body`` HTML."""

    title: str
    lead: str
    body: str


@dataclass(frozen=True)
class Row:
    """A row of a comparison: its name and one picture a column, paths relative to the page."""

    name: str
    pictures: Sequence[str]
    highlighted: bool = False


def render_page(title: str, lead: str, sections: Iterable[Section], footer: str) -> str:
    """The whole page."""
    body = "".join(
        f"<section><h2>{escape(section.title)}</h2>\n<p>{escape(section.lead)}</p>\n{section.body}</section>\n"
        for section in sections
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{escape(title)}</h1>\n<p>{escape(lead)}</p></header>\n"
        f"{body}<footer>{escape(footer)}</footer>\n</main>\n</body>\n</html>\n"
    )


def picture(path: str, text: str) -> str:
    """An image of the folder; ``text`` stands for it where it is not seen."""
    return f'<img src="{escape(path)}" alt="{escape(text)}" loading="lazy">'


def figure(path: str, caption: str) -> str:
    """An image with its caption below."""
    return f"<figure>{picture(path, caption)}<figcaption>{escape(caption)}</figcaption></figure>\n"


def comparison(name: str, given: str, columns: Sequence[str], rows: Iterable[Row]) -> str:
    """What was ``given``, as HTML, and beside it a grid of pictures with names of columns and rows."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    lines = ""
    for row in rows:
        cells = "".join(
            f"<td>{picture(path, f'{name}, {column}: {row.name}')}</td>"
            for path, column in zip(row.pictures, columns, strict=True)
        )
        mark = ' class="result"' if row.highlighted else ""
        lines += f'<tr{mark}><th scope="row">{escape(row.name)}</th>{cells}</tr>\n'
    return (
        f'<div class="comparison"><div class="given">{given}</div>'
        f'<div class="scroll"><table class="pictures"><tr><td></td>{head}</tr>\n{lines}</table></div></div>\n'
    )


def side_by_side(figures: Iterable[str]) -> str:
    """Figures in a row, as far as the window is wide enough."""
    return f'<div class="row">{"".join(figures)}</div>\n'


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of text whose first column names the row."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>\n'
        for name, *cells in rows
    )
    return f'<div class="scroll"><table class="numbers"><tr>{head}</tr>\n{lines}</table></div>\n'


def code(text: str) -> str:
    """A block to be copied."""
    return f"<pre><code>{escape(text)}</code></pre>\n"


_STYLE = """
:root { color-scheme: light dark; --ground: #f6f6f4; --card: #fff; --ink: #1d1f24; --soft: #666b76; --line: #e2e2dd;
  --accent: #2f5fd0; --code: #f0f0ec; }
@media (prefers-color-scheme: dark) { :root { --ground: #14161a; --card: #1d2026; --ink: #e8e9ec; --soft: #9aa0ac;
  --line: #2d323b; --accent: #86a8ff; --code: #262a32; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif; }
main { max-width: 1020px; margin: 0 auto; padding: 56px 20px 40px; }
h1 { font-size: clamp(1.8rem, 5vw, 2.6rem); line-height: 1.15; letter-spacing: -.02em; margin: 0 0 .4em; }
h2 { font-size: 1.35rem; letter-spacing: -.01em; margin: 0 0 .3em; }
header p { font-size: 1.1rem; color: var(--soft); max-width: 44em; margin: 0; }
section { margin-top: 52px; }
section > p { color: var(--soft); max-width: 48em; margin: 0 0 18px; }
.comparison, .row { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 22px;
  margin-bottom: 22px; display: flex; gap: 30px; align-items: flex-start; }
.row { flex-wrap: wrap; }
.given { flex: 0 0 216px; display: grid; grid-template-columns: 1fr 1fr; gap: 14px 8px; }
.given figure:first-child { grid-column: span 2; }
figure { margin: 0; }
img { display: block; width: 100%; height: auto; border-radius: 7px; }
.row img { width: 256px; max-width: 100%; }
figcaption { color: var(--soft); font-size: .86rem; margin-top: 8px; }
.scroll { overflow-x: auto; flex: 1 1 auto; min-width: 0; }
table { border-collapse: collapse; }
.pictures { width: 100%; min-width: 480px; table-layout: fixed; }
.pictures th { font-weight: 500; font-size: .84rem; color: var(--soft); line-height: 1.25; }
.pictures th[scope=row], .pictures tr:first-child td { width: 92px; text-align: left; padding: 0 10px 0 0; }
.pictures th[scope=col] { padding: 0 4px 6px; }
.pictures td { padding: 4px; }
.result th { color: var(--accent) !important; font-weight: 650 !important; }
.result img { outline: 2px solid var(--accent); outline-offset: 1px; }
.numbers { background: var(--card); border: 1px solid var(--line); }
.numbers th, .numbers td { padding: 9px 18px; border-bottom: 1px solid var(--line); text-align: right;
  font-variant-numeric: tabular-nums; }
.numbers th { font-weight: 550; }
.numbers th:first-child { text-align: left; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: 10px; padding: 14px 18px; overflow-x: auto;
  font: .88rem/1.6 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
footer { margin-top: 56px; padding-top: 18px; border-top: 1px solid var(--line); color: var(--soft); font-size: .9rem; }
@media (max-width: 760px) { .comparison { flex-direction: column; } .given { flex: none; width: 216px; }
  .scroll { width: 100%; } }
"""
