"""Farshore: Azure virtual machines reached over ExpressRoute, to the far shore and back."""

__version__ = "0.1.0"
