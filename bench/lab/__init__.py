"""How fast the served lab answers, beside two other emulators: `python -m bench.lab`, `make bench-lab`."""
