"""A row of what moves with a machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from farshore.arm.ids import ResourceId


class How(StrEnum):
    """Who takes care of it."""

    ITEM = "item"
    """Site Recovery, as the item's settings say (S12, S13)."""
    STEP = "step"
    """A step of the plan; the row names its ids."""
    HAND = "hand"
    """A person; the row has the instruction."""
    NOTHING = "nothing"
    """Nothing is to be done; the row says why."""
    NOT_UNDERSTOOD = "not-understood"
    """No rule knows this reference: somebody looks at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    machine: ResourceId | None
    """None for what all machines of a network need: the names and endpoints beside them."""
    holder: str
    """Id of the resource whose body says it."""
    path: str
    """Where in the body: `properties.ipConfigurations[0].properties.publicIPAddress.id`."""
    refers: str
    """The id that stands there, or the value where it is no id (a zone, a tag's name)."""
    how: How
    why: str
    instruction: str | None = None
    """For HAND and NOT_UNDERSTOOD: which resource, property and value, and whether before or after the failover."""
    steps: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether a person has something to do."""
        return self.how in (How.HAND, How.NOT_UNDERSTOOD)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameChange:
    """A record of a DNS zone that names an address which a failover changes."""

    record: str
    """Id of the record set."""
    type: str
    """`A`."""
    old: str
    new: str
    because: str
    new_of: str | None = None
    """Id of the public address that will have the new value, where nobody knows it before it stands."""

    @property
    def is_known(self) -> bool:
        """Whether a program can be told the new address, or where to read it."""
        if self.new_of is not None:
            return True
        try:
            ip_address(self.new)
        except ValueError:
            return False
        return True
