"""`python -m conformance replay|examples`: scores on standard output; 1 where an entry of on_purpose is stale."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from conformance import examples, on_purpose, report
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
        for score in scores.values():
            for one in score.differences:
                if more or one.got != "more":
                    reason = on_purpose.reason_of(one)
                    print(one if reason is None else f"{one} (on purpose: {reason})")
    print("\n".join(report.table(scores)))
    whole = {path.stem for path in files([DATA / "recordings"])} <= set(scores)
    stale = on_purpose.stale(one for score in scores.values() for one in score.differences) if whole else []
    for entry in stale:
        print(f"conformance/on_purpose.py: no difference fits {entry.file} {entry.path} any more: take the entry out")
    return 1 if stale else 0


def _examples(root: Path, differences: bool) -> int:
    found = list(examples.folders(root))
    if not found:
        print(f"no examples (_operations.json) below {root}: name a folder, or set FARSHORE_REAL_DATA")
        return 2
    seen = []
    for folder in found:
        scores = examples.run(folder)
        judged = {name: score for name, score in scores.items() if score is not None}
        if differences:
            for score in judged.values():
                for one in score.differences:
                    if one.got != "more":
                        reason = on_purpose.reason_of(one)
                        print(one if reason is None else f"{one} (on purpose: {reason})")
        seen += [one for score in judged.values() for one in score.differences]
        print(folder.name)
        print("\n".join(report.table(judged)))
        print(f"not had by the lab: {', '.join(name for name in scores if name not in judged) or 'none'}")
        for name, (provider, answer) in examples.apart(folder).items():
            print(f"apart, of {provider}: {name}, answered {answer.status}")
    stale = on_purpose.stale(seen, on_purpose.EXAMPLES)
    for entry in stale if root == DATA / "rest-examples" else ():
        print(f"conformance/on_purpose.py: no difference fits {entry.file} {entry.path} any more: take the entry out")
    return 1 if stale and root == DATA / "rest-examples" else 0


if __name__ == "__main__":
    raise SystemExit(main())
