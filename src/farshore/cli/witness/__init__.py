"""The engine and its witness, side by side: which states are built, which flows are asked, where the two differ.

The twin knows nothing of the engine, and the engine nothing of the twin; they meet here.
"""

from __future__ import annotations
