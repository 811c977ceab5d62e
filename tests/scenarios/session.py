"""What a transcript works on: an estate that its commands look at and change."""

from __future__ import annotations

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.estate.estate import Change, Estate


class Session:
    """Starts with an empty estate."""

    def __init__(self) -> None:
        self.estate = Estate.from_resources([])

    def id_of(self, name: str) -> ResourceId:
        """The one resource of that name, or `network/subnet`; ids are taken as they are."""
        if name.startswith("/"):
            return resource_id(name)
        own, _, subnet = name.partition("/")
        keys = [key for key in self.estate.resources if key.rsplit("/", 1)[-1] == own.lower()]
        if len(keys) != 1:
            raise InputError(f"{len(keys)} resources are called {own}", value=name, expected="the name of one")
        found = resource_id(str(self.estate.resources[keys[0]]["id"]))
        return found.child("subnets", subnet) if subnet else found

    def key_of(self, name: str) -> str:
        """The name of something that can be down: `region:x` and the like as they are, resources by their ids."""
        if name.split(":")[0] in ("region", "location", "router"):
            return name.replace("_", " ").lower()
        own, hash_, part = name.partition("#")
        return self.id_of(own).key + hash_ + part.lower()

    def put(self, *bodies: Body) -> None:
        self.estate = self.estate.with_changes([Change(put=body) for body in bodies])
