"""One immutable reading of everything in scope, and of the sites around it.

Resources are kept as ARM returned them, whole, under their lower-case id; children that Azure nests (subnets,
peerings, routes, rules, circuit peerings, authorizations) live inside their parent, wherever they came from. Typed
views decode on first use and are cached by body, so that an estate with one resource changed (`with_changes`)
shares every other reading with the one it came from: a proof looks at thousands of estates that differ in little.

A change is a body to put or an id to delete, the same two forms that the measured routing cases use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from farshore.arm import compute, connectivity, network
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, fingerprint
from farshore.estate.outside import Outside, Site

if TYPE_CHECKING:
    from farshore.estate.project import Project

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`put` a body or `delete` an id: exactly one of them."""

    put: Body | None = None
    delete: ResourceId | None = None

    def __post_init__(self) -> None:
        assert (self.put is None) != (self.delete is None), "a change puts or deletes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """See the theory above. Build one with `Estate.from_resources`."""

    resources: Mapping[str, Body]
    """Bodies by lower-case id; top-level resources, with Azure's nested children inside."""
    sites: tuple[Site, ...] = ()
    outside: Outside = field(default_factory=Outside)
    project: Project | None = None
    unread: tuple[str, ...] = ()
    """Ids (or descriptions) of what was kept and not understood."""
    unknown: tuple[str, ...] = ()
    """`id path` of every marker that stands where a value should: what rests on it can't be known."""
    _views: dict[tuple[str, int], Any] = field(default_factory=dict, repr=False, compare=False)
    _keys: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """Keys by lower-case type in id order, made when first asked; `""` holds the mapping they were made of."""

    @staticmethod
    def from_resources(resources: list[Body], project: Project | None = None) -> Estate:
        """The estate of a list of ARM bodies. Raises `InputError` for a body without an id, an address range
        with host bits, two different bodies with one id."""
        from farshore.estate.reading import read_resources

        return read_resources(resources, project)

    def get(self, id_: ResourceId | str | None) -> Body | None:
        """The body with that id, a nested child included; None where there is none."""
        from farshore.estate.reading import find

        return None if id_ is None else find(self.resources, resource_id(str(id_)))

    def of_type(self, kind: str) -> Iterator[Body]:
        """Top-level bodies of one type (`Microsoft.Network/virtualNetworks`), in id order."""
        if self._keys.get("") is not self.resources:
            by_type: dict[str, Any] = {"": self.resources}
            for key in sorted(self.resources):
                by_type.setdefault(resource_id(key).type.lower(), []).append(key)
            self._keys.clear()
            self._keys.update(by_type)
        for key in self._keys.get(kind.lower(), ()):
            yield self.resources[key]

    def view(self, id_: ResourceId | None, decode: Callable[[Body], Model]) -> Model | None:
        """One top-level resource through a decoder of `farshore.arm`, cached; None where it is not there."""
        body = None if id_ is None else self.resources.get(id_.key)
        return None if body is None else self._decoded(body, decode)

    def _one(self, id_: ResourceId | None, kind: str, decode: Callable[[Body], Model]) -> Model | None:
        """One resource of a type; None where it is not there, and where the id is of another type: a load balancer
        is no network interface, whoever asks for one."""
        return self.view(id_, decode) if id_ is not None and id_.is_a(kind) else None

    def views(self, kind: str, decode: Callable[[Body], Model]) -> tuple[Model, ...]:
        return tuple(self._decoded(body, decode) for body in self.of_type(kind))

    def _decoded(self, body: Body, decode: Callable[[Body], Model]) -> Model:
        key = (decode.__qualname__, id(body))
        held = self._views.get(key)
        if held is None or held[0] is not body:
            held = (body, decode(body))
            self._views[key] = held
        found: Model = held[1]
        return found

    @property
    def virtual_networks(self) -> tuple[network.VirtualNetwork, ...]:
        return self.views(network.VIRTUAL_NETWORKS, network.virtual_network)

    @property
    def route_tables(self) -> tuple[network.RouteTable, ...]:
        return self.views(network.ROUTE_TABLES, network.route_table)

    @property
    def network_security_groups(self) -> tuple[network.NetworkSecurityGroup, ...]:
        return self.views(network.NETWORK_SECURITY_GROUPS, network.network_security_group)

    @property
    def network_interfaces(self) -> tuple[network.NetworkInterface, ...]:
        return self.views(network.NETWORK_INTERFACES, network.network_interface)

    @property
    def virtual_network_gateways(self) -> tuple[connectivity.VirtualNetworkGateway, ...]:
        return self.views(network.VIRTUAL_NETWORK_GATEWAYS, connectivity.virtual_network_gateway)

    @property
    def connections(self) -> tuple[connectivity.Connection, ...]:
        return self.views(network.CONNECTIONS, connectivity.connection)

    @property
    def express_route_circuits(self) -> tuple[connectivity.ExpressRouteCircuit, ...]:
        return self.views(network.EXPRESS_ROUTE_CIRCUITS, connectivity.express_route_circuit)

    @property
    def virtual_machines(self) -> tuple[compute.VirtualMachine, ...]:
        return self.views(compute.VIRTUAL_MACHINES, compute.virtual_machine)

    def virtual_network(self, id_: ResourceId | None) -> network.VirtualNetwork | None:
        return self._one(id_, network.VIRTUAL_NETWORKS, network.virtual_network)

    def route_table(self, id_: ResourceId | None) -> network.RouteTable | None:
        return self._one(id_, network.ROUTE_TABLES, network.route_table)

    def network_security_group(self, id_: ResourceId | None) -> network.NetworkSecurityGroup | None:
        return self._one(id_, network.NETWORK_SECURITY_GROUPS, network.network_security_group)

    def network_interface(self, id_: ResourceId | None) -> network.NetworkInterface | None:
        return self._one(id_, network.NETWORK_INTERFACES, network.network_interface)

    def virtual_network_gateway(self, id_: ResourceId | None) -> connectivity.VirtualNetworkGateway | None:
        return self._one(id_, network.VIRTUAL_NETWORK_GATEWAYS, connectivity.virtual_network_gateway)

    def connection(self, id_: ResourceId | None) -> connectivity.Connection | None:
        return self._one(id_, network.CONNECTIONS, connectivity.connection)

    def express_route_circuit(self, id_: ResourceId | None) -> connectivity.ExpressRouteCircuit | None:
        return self._one(id_, network.EXPRESS_ROUTE_CIRCUITS, connectivity.express_route_circuit)

    def virtual_machine(self, id_: ResourceId | None) -> compute.VirtualMachine | None:
        return self._one(id_, compute.VIRTUAL_MACHINES, compute.virtual_machine)

    def subnet(self, id_: ResourceId | None) -> network.Subnet | None:
        """A subnet through its network."""
        found = None if id_ is None else self.virtual_network(id_.parent)
        return None if found is None or id_ is None else found.subnet(id_.name)

    def site(self, name: str) -> Site | None:
        return next((site for site in self.sites if site.name == name), None)

    @property
    def fingerprint(self) -> str:
        """Ties a plan to the estate it was made for: over the bodies without etags and states, and the sites."""
        from farshore.estate.reading import canonical_resources

        return fingerprint([canonical_resources(self.resources), [repr(site) for site in self.sites]])

    def with_changes(self, changes: Iterable[Change]) -> Estate:
        """The estate after some changes; a nested child is put into or taken from its parent."""
        from farshore.estate.reading import apply_changes

        after = apply_changes(self.resources, changes)
        keys: dict[str, Any] = {}
        if self._keys.get("") is self.resources and after.keys() == self.resources.keys():
            keys = {**self._keys, "": after}
        return replace(self, resources=after, _keys=keys)

    def with_project(self, project: Project) -> Estate:
        """The estate under a project: names in it are resolved against these resources, its sites are ours."""
        resolved = project.resolved(self)
        return replace(self, project=resolved, sites=resolved.sites)

    def with_sites(self, sites: tuple[Site, ...]) -> Estate:
        return replace(self, sites=sites)

    def with_outside(self, outside: Outside) -> Estate:
        return replace(self, outside=outside)
