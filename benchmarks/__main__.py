"""The command line: ``scripts/bench``."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from typing import Any

from benchmarks import environments, machine, report
from benchmarks.lab import ROOT, Lab, default_cache
from benchmarks.peers_table import PEERS

RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "benchmarks.md"
DESCRIPTION = """Compare Cornu with other libraries. Without arguments: a short run, whose results are printed.
With names of measures, or --full for all of them: the full run, which writes docs/benchmarks.md."""


def main() -> int:
    options = _options()
    if options.write:
        PAGE.write_text(report.page(report.read(RESULTS)), encoding="utf-8")
        return 0
    full = options.full or bool(options.measures)
    names = options.measures or [name for name, each in report.MEASURES.items() if full or each.short]
    cache = default_cache()
    cache.mkdir(parents=True, exist_ok=True)
    wanted = options.peers or [name for name in PEERS if full or name not in ("keras2", "keras-torch")]
    given = dict(each.split("=", 1) for each in options.python)
    pythons, missing = environments.make_all(list(dict.fromkeys(["cornu", *wanted])), cache, given)
    for name, why in missing.items():
        print(f"{PEERS[name].title} is skipped: {why}", flush=True)
    if options.make:
        return 0
    lab = Lab(pythons, cache, full)
    results = report.read(RESULTS) if full else {}
    path = RESULTS if full else cache / "short.json"
    stamp = _stamp(lab, missing)

    def save(kept: dict[str, Any]) -> None:
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        (PAGE if full else cache / "short.md").write_text(report.page(kept), encoding="utf-8")

    report.run(names, lab, results, stamp, save)
    print(f"\n{PAGE} is written." if full else "\n" + report.page(results))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("scripts/bench", description=DESCRIPTION)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(report.MEASURES))
    parser.add_argument("--full", action="store_true", help="all measures, full run")
    parser.add_argument("--write", action="store_true", help="do not measure: write the page from the stored results")
    parser.add_argument("--make", action="store_true", help="create the environments, do not measure")
    parser.add_argument("--peers", nargs="+", choices=PEERS, help="these peers only (and Cornu)")
    parser.add_argument(
        "--python",
        nargs="+",
        default=[],
        metavar="PEER=PATH",
        help="an existing Python with the peer installed, instead of a new environment",
    )
    options = parser.parse_args()
    if unknown := set(options.measures) - set(report.MEASURES):
        parser.error(f"There is no measure {sorted(unknown)}. The measures: {', '.join(report.MEASURES)}")
    return options


def _stamp(lab: Lab, missing: dict[str, str]) -> dict[str, Any]:
    """Return when, where and with which versions the measurement runs."""
    stamp = {
        "date": datetime.date.today().isoformat(),
        "machine": machine.describe(),
        "load": machine.load(),
        "missing": missing,
    }
    with lab.workers() as workers:
        return stamp | {"versions": {name: worker("versions") for name, worker in workers.items()}}


if __name__ == "__main__":
    sys.exit(main())
