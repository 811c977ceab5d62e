"""`python -m farshore`: the command without its console script."""

from __future__ import annotations

from farshore.cli.__main__ import main

if __name__ == "__main__":
    main()
