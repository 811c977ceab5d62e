"""The numbers of Azure's own autonomous systems (E9).

MICROSOFT    the MSEEs, where a circuit ends: `azureASN` of a peering (E8), and in front of BGP communities (E42)
GATEWAYS     virtual network gateways and Route Servers (R46), unless a VPN gateway was given another
"""

from __future__ import annotations

MICROSOFT = 12076
GATEWAYS = 65515
RESERVED = range(65515, 65521)
"""Numbers that no router of a site may have."""
