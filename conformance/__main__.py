"""`python -m conformance replay|examples`: scores on standard output. Exit status 1 where an entry of on_purpose fits
nothing any more, 2 where there is nothing to send."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from conformance import examples, on_purpose, report
from conformance.compare import Score
from conformance.on_purpose import OnPurpose
from conformance.replay import replay

DATA = Path(os.environ.get("FARSHORE_REAL_DATA") or Path(__file__).parents[2] / "shared" / "data")


def main() -> int:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    again = verbs.add_parser("replay", help="recordings sent to a fresh lab each")
    again.add_argument("paths", nargs="*", type=Path, help=f"files or folders; {DATA / 'recordings'} by default")
    again.add_argument("--differences", action="store_true", help="each difference in a line")
    again.add_argument("--more", action="store_true", help="also key paths that only the lab has")
    shown = verbs.add_parser("examples", help="request examples of Azure's own description")
    shown.add_argument("path", nargs="?", type=Path, default=DATA / "rest-examples")
    shown.add_argument("--differences", action="store_true", help="each difference in a line")
    asked = parser.parse_args()
    if asked.verb == "examples":
        return _examples(asked.path, asked.differences)
    return _replay(asked.paths or [DATA / "recordings"], asked.differences, asked.more)


def files(paths: list[Path]) -> list[Path]:
    """The recordings in files and folders."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    return found


def _replay(paths: list[Path], differences: bool, more: bool) -> int:
    found = files(paths)
    if not found:
        print(f"no recordings (*.jsonl) in {', '.join(map(str, paths))}: name files, or set FARSHORE_REAL_DATA")
        return 2
    scores = {path.stem: replay(path) for path in found}
    if differences:
        _print_differences(scores.values(), more)
    print("\n".join(report.table(scores)))
    whole = {path.stem for path in files([DATA / "recordings"])} <= set(scores)
    return _stale(scores.values(), on_purpose.ON_PURPOSE) if whole else 0


def _examples(root: Path, differences: bool) -> int:
    found = list(examples.folders(root))
    if not found:
        print(f"no examples (_operations.json) below {root}: name a folder, or set FARSHORE_REAL_DATA")
        return 2
    seen: list[Score] = []
    for folder in found:
        scores = examples.run(folder)
        judged = {name: score for name, score in scores.items() if score is not None}
        if differences:
            _print_differences(judged.values())
        seen += judged.values()
        print(folder.name)
        print("\n".join(report.table(judged)))
        print(f"not had by the lab: {', '.join(name for name in scores if name not in judged) or 'none'}")
        for name, (provider, answer) in examples.apart(folder).items():
            print(f"apart, of {provider}: {name}, answered {answer.status}")
    return _stale(seen, on_purpose.EXAMPLES) if root == DATA / "rest-examples" else 0


def _print_differences(scores: Iterable[Score], more: bool = False) -> None:
    """Each in a line; key paths that only the lab has with `more`."""
    for score in scores:
        for one in score.differences:
            if more or one.got != "more":
                reason = on_purpose.reason_of(one)
                print(one if reason is None else f"{one} (on purpose: {reason})")


def _stale(scores: Iterable[Score], entries: Iterable[OnPurpose]) -> int:
    """The exit status: 1, and a line for each, where entries fit nothing in all that there is."""
    stale = on_purpose.stale((one for score in scores for one in score.differences), entries)
    for entry in stale:
        print(f"conformance/on_purpose.py: no difference fits {entry.file} {entry.path} any more: take the entry out")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
