"""The way of a packet through the lab at this moment."""
