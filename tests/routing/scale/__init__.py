"""The engine at scale, against the scalar engine and against a dense computation."""
