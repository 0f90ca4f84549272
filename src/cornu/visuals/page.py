"""The frame of a report's page: its style for light and dark, wide and narrow; it loads nothing from the network."""

import os
import platform
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import jax

from cornu.core.versions import versions

_STYLE = """
:root{color-scheme:light dark;--ink:#1b222c;--soft:#5d6979;--paper:#fbfcfd;--sheet:#fff;--line:#dfe4ea;
--train:#2563b0;--held:#d2691e;--right:#2c7a3f;--wrong:#c0392b;--bar:#cfe0f5}
@media (prefers-color-scheme:dark){:root{--ink:#e7ebf0;--soft:#9aa5b3;--paper:#12161c;--sheet:#1a2029;--line:#303945;
--train:#6ea8ff;--held:#ffa04d;--right:#4cae66;--wrong:#ef6a5b;--bar:#2b4468}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1120px;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.7rem;margin:0}h2{font-size:1.2rem;margin:0 0 .6rem}h3{font-size:1rem;margin:1.4rem 0 .5rem}
.sub,.small,.note{color:var(--soft)}.sub{margin:.1rem 0 1.2rem}.small{font-size:.85rem;margin:.2rem 0 0}
section{background:var(--sheet);border:1px solid var(--line);border-radius:10px;padding:1rem 1.1rem;margin:1rem 0}
.cards{display:flex;flex-wrap:wrap;gap:.7rem}
.card{background:var(--sheet);border:1px solid var(--line);border-radius:10px;padding:.5rem 1rem;min-width:7rem}
.card b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}.card span{color:var(--soft);font-size:.85rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,350px),1fr));gap:1.4rem;align-items:start}
figure{margin:0;min-width:0}figure.matrix{grid-column:span 1}figcaption{font-weight:600;margin-bottom:.3rem}
svg.chart{width:100%;height:auto;display:block}
.grid{stroke:var(--line);stroke-width:1}.tick{fill:var(--soft);font-size:11.5px}.axis{fill:var(--soft);font-size:12.5px}
.curve{fill:none;stroke-width:2;stroke-linejoin:round}.train{stroke:var(--train);color:var(--train)}
.held-out{stroke:var(--held);color:var(--held)}.dot{stroke:none}.dot.train{fill:var(--train)}
.dot.held-out{fill:var(--held)}.band{stroke:none;fill-opacity:.18}.band.train{fill:var(--train)}
.band.held-out{fill:var(--held)}.ideal{stroke:var(--soft);stroke-dasharray:5 4;fill:none}
.points{stroke:var(--train);stroke-width:4;stroke-linecap:round;stroke-opacity:.45;fill:none}.bar{fill:var(--train)}
.cell{fill:none;stroke:var(--line)}.right{fill:var(--right)}.wrong{fill:var(--wrong)}
.count{fill:var(--ink);font-size:12.5px}.count.bright{fill:#fff}
.legend{margin:.1rem 0 0;font-size:.85rem}.key{margin-right:1rem}
.key::before{content:"";display:inline-block;width:1.1em;
height:3px;background:currentColor;margin-right:.4em;vertical-align:middle}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{padding:.22rem .7rem .22rem 0;text-align:left;border-bottom:1px solid var(--line)}th{font-weight:600}
.share{display:inline-block;min-width:4.6rem;padding:0 .3rem;border-radius:3px;
background:linear-gradient(to right,var(--bar) var(--share),transparent var(--share))}
.scroll{overflow-x:auto}.settings td{overflow-wrap:anywhere}
.tiles,.mistakes{display:flex;flex-wrap:wrap;gap:.45rem}.mistakes{gap:.9rem}
.tile{image-rendering:pixelated;border-radius:3px;display:block;max-width:100%;height:auto}
.mistake{width:96px;font-size:.85rem;overflow-wrap:anywhere}.mistake figcaption{font-weight:600;line-height:1.3}
.mistake figcaption span{font-weight:400;color:var(--soft)}.values{color:var(--soft);font-size:.8rem;white-space:nowrap}
details{margin-top:.8rem}summary{cursor:pointer;color:var(--soft)}code{font-size:.9em}
@media (max-width:480px){main{padding:1rem .6rem 2rem}section{padding:.8rem}
th,td{padding-right:.45rem}.share{min-width:4.1rem}svg.chart{overflow:visible}
figure:not(.matrix)>svg .tick,figure:not(.matrix)>svg .axis{font-size:15px}}
@media print{body{background:#fff}section{break-inside:avoid}}
"""


def page(title: str, subtitle: str, cards: Sequence[str], sections: Sequence[str]) -> str:
    """Return a whole HTML page that needs no network: style, pictures and drawings are in it."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>{escape(title)}</h1><p class="sub">{escape(subtitle)}</p><div class="cards">{"".join(cards)}</div>'
        f"{''.join(sections)}</main></body></html>\n"
    )


def card(name: str, value: str) -> str:
    """Return a highlighted number."""
    return f'<div class="card"><b>{escape(value)}</b><span>{escape(name)}</span></div>'


def section(title: str, body: str) -> str:
    """Return a section of the page with its heading."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def settings_table(rows: Mapping[str, Any]) -> str:
    """Return settings, and versions and machine, as two tables."""
    tables = (("Training", rows), ("Versions and machine", _versions()))
    shown = []
    for title, values in tables:
        cells = "".join(f"<tr><th>{escape(k)}</th><td>{escape(str(v))}</td></tr>" for k, v in values.items())
        table = f'<table class="settings">{cells}</table>'
        shown.append(f"<figure><figcaption>{title}</figcaption>{table}</figure>")
    return f'<div class="charts">{"".join(shown)}</div>'


def _versions() -> dict[str, str]:
    found = versions()
    devices = jax.devices()
    found["device"] = f"{len(devices)} x {devices[0].device_kind}"
    found["processors"] = str(os.cpu_count())
    found["system"] = f"{platform.system()} {platform.machine()}"
    return found
