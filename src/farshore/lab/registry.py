"""How the lab learns a thing: one file a type, registered by decorators when it is imported.

Everything under the folders that `lab/catalog.py` names (`lab/network`, `lab/compute`...) is imported by it; adding a
thing is adding a file.

**A resource type** is a subclass of `ResourceType` (`lab/types.py`), registered once:

    @resource_type("Microsoft.Network/routeTables")
    class RouteTables(ResourceType):
        pattern = NETWORK                       # which statuses and headers (lab/patterns.py)
        nested = ("routes",)                    # children that Azure shows in `properties.routes`

        def validate(self, put: Put) -> None:   # before anything happens; `raise Refused(400, code, message)`
        def on_put(self, put: Put) -> Body:     # the body to keep: defaults, read-only properties
        def after_put(self, put: Put) -> None:  # the body is kept: write what others show because of it
        def on_ready(self, cloud, id_) -> None: # when the operation completes, before Succeeded is written
        def on_delete(self, cloud, id_) -> None # may this go? `raise Refused(...)`
        def on_gone(self, cloud, id_, body)     # after it has gone
        def show(self, cloud, id_, body, query) -> Body   # what a GET adds (back references, instance views)
        def seed(self, cloud, body) -> Body     # a body of an estate, put in steady state, no operation

Whatever the standard life cycle of `types.py` does not fit (Site Recovery answers a PUT with 202 and no body) is
overridden whole: `get`, `rows` (of a list), `put`, `patch`, `delete` take a `Call` and return a `Response`.

`make(cloud, body)` and `unmake(cloud, id_)` of `lab/types.py` do to a resource at once, with all its hooks, what a
service inside Azure does: no operation, no answer.

**An action** is a POST below a resource, **a view** a GET below one that is no resource:

    @action("Microsoft.Compute/virtualMachines", "deallocate")
    def deallocate(call: Call) -> Response:
        call.must_exist()
        return call.accept("deallocate", duration="virtualMachines.deallocate")      # 202 and an operation

    @completion("Microsoft.Compute/virtualMachines", "deallocate")
    def deallocated(cloud: Cloud, operation: Operation) -> Body | None:              # its result; Refused = it failed
        ...

    @view("Microsoft.Network/expressRouteCircuits", "stats")
    def stats(call: Call) -> Response: ...

    @named_view("Microsoft.Compute/locations", "runCommands")                        # one of a view's, by its name
    def document(call: Call) -> Response: ...

    @sub_put("Microsoft.Network/connections", "sharedkey")                           # a PUT to such a thing
    def set_shared_key(call: Call) -> Response: ...

`call.argument` is what stands behind the name of an action or a view in the path (`routeTables/primary`).

**A provider's list** is a GET below a subscription that shows what Azure offers, and no resources; what is no
subscription's has the whole path:

    @provider_list("Microsoft.Network/expressRouteServiceProviders")
    def providers(call: Call) -> Response: ...

    @provider_one("Microsoft.Network/expressRoutePortsLocations")                    # one of such a list
    def place(call: Call) -> Response: ...

    @tenant("GET", "providers/Microsoft.Authorization/roleDefinitions")
    def definitions(call: Call) -> Response: ...

**An event** is something that will happen by itself; it is kept in the state and happens in order of (due, id):

    cloud.at(cloud.now + timedelta(minutes=5), "recovery.point", item.key, {"n": 4})  # kind, subject, data
    cloud.cancel("recovery.point", item.key)

    @event("recovery.point")
    def take_point(cloud: Cloud, subject: str, data: Json) -> None: ...               # cloud.now is the due time

One event of a kind a subject: scheduling it again replaces it.

**A listener** hears at once what happened elsewhere. These topics concern more than one folder; those of Site
Recovery's own flows begin with `recovery.` and are told where they are heard:

    region.lost, region.dark, region.answers    a region; its control plane is back with `region.answers`
    machine.power, machine.rate, machine.dead   a machine's key; of its power `{"power", "before"}`
    resource.gone                               an id's key, and the body that was
    operation.ended, operation.failed           an operation's id; of one that failed its error
    automation.ended                            the key of an Automation job
    replication.way                             the key of a machine that may be able to send, or no longer

    @listener("region.lost")
    def freeze(cloud: Cloud, subject: str, data: Json) -> None: ...

**A handle of the lab** is a path under `/_lab/`, and other surfaces have a first segment of their own:

    @handle("GET", "_lab/writes")
    def writes(call: Call) -> Response: ...
    @handle("GET", "_blob")            # everything below /_blob/; `call.rest` is the remainder of the path
    def read_blob(call: Call) -> Response: ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from farshore.arm.http import Response
from farshore.arm.json import Body, Json

if TYPE_CHECKING:
    from farshore.lab.call import Call
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation
    from farshore.lab.types import ResourceType

Handler = Callable[["Call"], Response]
Completion = Callable[["Cloud", "Operation"], Body | str | None]
Happening = Callable[["Cloud", str, Json], None]

TYPES: dict[str, ResourceType] = {}
ACTIONS: dict[tuple[str, str], Handler] = {}
VIEWS: dict[tuple[str, str], Handler] = {}
NAMED_VIEWS: dict[tuple[str, str], Handler] = {}
PROVIDER_LISTS: dict[str, Handler] = {}
PROVIDER_ONES: dict[str, Handler] = {}
SUB_PUTS: dict[tuple[str, str], Handler] = {}
COMPLETIONS: dict[tuple[str, str], Completion] = {}
EVENTS: dict[str, Happening] = {}
LISTENERS: dict[str, list[Happening]] = {}
HANDLES: dict[tuple[str, str], Handler] = {}
TENANT: dict[tuple[str, str], Handler] = {}
SPELLED: dict[str, str] = {}
"""Names of types, actions, views and paths as Azure spells them, by the lower case in which they are found."""

T = TypeVar("T", bound="type[ResourceType]")
F = TypeVar("F", bound=Callable[..., Any])


def resource_type(name: str) -> Callable[[T], T]:
    def register(cls: T) -> T:
        assert name.lower() not in TYPES, f"{name} is registered twice"
        cls.type = name
        TYPES[name.lower()] = cls()
        return cls

    return register


def action(type_: str, name: str) -> Callable[[F], F]:
    return _in(ACTIONS, (_key(type_), _key(name)))


def view(type_: str, name: str) -> Callable[[F], F]:
    return _in(VIEWS, (_key(type_), _key(name)))


def named_view(type_: str, name: str) -> Callable[[F], F]:
    return _in(NAMED_VIEWS, (_key(type_), _key(name)))


def provider_list(name: str) -> Callable[[F], F]:
    return _in(PROVIDER_LISTS, _key(name))


def provider_one(name: str) -> Callable[[F], F]:
    return _in(PROVIDER_ONES, _key(name))


def sub_put(type_: str, name: str) -> Callable[[F], F]:
    return _in(SUB_PUTS, (_key(type_), _key(name)))


def completion(type_: str, verb: str) -> Callable[[F], F]:
    return _in(COMPLETIONS, (type_.lower(), verb.lower()))


def event(kind: str) -> Callable[[F], F]:
    return _in(EVENTS, kind)


def handle(method: str, path: str) -> Callable[[F], F]:
    return _in(HANDLES, (method, path))


def tenant(method: str, path: str) -> Callable[[F], F]:
    return _in(TENANT, (method, _key(path)))


def listener(topic: str) -> Callable[[F], F]:
    def register(function: F) -> F:
        LISTENERS.setdefault(topic, []).append(function)
        return function

    return register


def _key(name: str) -> str:
    SPELLED.setdefault(name.lower(), name)
    return name.lower()


def _in(table: dict[Any, Any], key: object) -> Callable[[F], F]:
    def register(function: F) -> F:
        assert key not in table, f"{key} is registered twice"
        table[key] = function
        return function

    return register
