"""The `farshore` command.

Exit status: 0 good; 1 could not do it; 2 did it and the answer is bad; 130 interrupted. Nothing heavy is
imported here: a verb's module is loaded when the verb is used.
"""

from __future__ import annotations

import sys

from farshore.cli.app import run


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
