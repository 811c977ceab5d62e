"""One change, proven again under every failure at the cost of what it touches; `changed.py` is its front."""
