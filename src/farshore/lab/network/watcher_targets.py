"""Whom a question to a network watcher is about, and what every such question must say to be one."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from farshore.arm.decode import Address
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.lab import dataplane, machines
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.compute import attached
from farshore.lab.network.references import NICS, configurations, ref
from farshore.routing.index import Holder

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

WATCHERS = "Microsoft.Network/networkWatchers"


def nic_of(call: Call) -> ResourceId:
    """The NIC of a running machine that a question is about: the one it names, or the first of the machine."""
    asked = call.object()
    return nic(call, id_of(asked.get("targetNicResourceId") or asked["targetResourceId"]).text, must_run=True)


def nic(call: Call, named: str, *, must_run: bool) -> ResourceId:
    watcher, cloud = call.must_exist(), call.cloud
    found = interface(cloud, named)
    if must_run and cloud.region_of(found) != watcher["location"]:
        raise bad_request(
            "TargetResourceNotInWatcherRegion",
            f"{named} is in {cloud.region_of(found)}: a network watcher of {watcher['location']} can't be asked "
            f"about it.",
        )
    machine = ref(cloud.body(found), "virtualMachine")
    if must_run and (machine is None or machines.power(cloud, resource_id(machine)) != machines.RUNNING):
        raise bad_request("VMNotRunning", f"{named} is no running virtual machine, nor a network interface of one.")
    return found


def asked_about(cloud: Cloud, asked: Body) -> ResourceId:
    """The same NIC, when the answer is made."""
    return interface(cloud, id_of(asked.get("targetNicResourceId") or asked["targetResourceId"]).text)


def interface(cloud: Cloud, named: str) -> ResourceId:
    """The NIC, or a machine's first. Raises `Refused` for what is neither or is not there."""
    id_ = id_of(named)
    body = cloud.body(id_)
    if body is None:
        raise Refused(404, "ResourceNotFound", f"The resource {named} was not found.")
    if id_.is_a(NICS):
        return resource_id(str(body["id"]))
    nics = attached.nics(body) if id_.is_a(attached.VIRTUAL_MACHINES) else []
    if not nics:
        raise bad_request("InvalidParameter", f"{named} is no virtual machine with a network interface.")
    return nics[0]


def holder(cloud: Cloud, of: ResourceId) -> Holder:
    held = dataplane.plane(cloud).routing.world.index.holders
    found = next((item for items in held.values() for item in items if item.nic.id == of), None)
    if found is None:
        raise bad_request("InvalidParameter", f"{of.text} holds no address.")
    return found


def first_address(cloud: Cloud, of: ResourceId) -> str:
    for item in configurations(cloud.body(of) or {}):
        text = (item.get("properties") or {}).get("privateIPAddress")
        if text:
            return str(text)
    return ""


def must_say(call: Call, *names: str) -> None:
    call.must_exist()
    missing = [name for name in names if not isinstance(call.object().get(name), str | int)]
    if missing:
        raise bad_request("InvalidRequestFormat", f"The question needs {', '.join(missing)}.")


def port(text: str, name: str, *, one: bool = False) -> int | None:
    """None for `*`, which is any port, where a question may leave that open."""
    if text == "*" and not one:
        return None
    if not text.isdecimal() or len(text) > 5 or int(text) > 65535:
        raise bad_request("InvalidParameter", f"{name} is a port, 0 to 65535, not {quoted(text)}.")
    return int(text)


def address(value: object) -> Address:
    try:
        return ip_address(str(value))
    except ValueError:
        raise bad_request("InvalidParameter", f"{quoted(value)} is no IP address.") from None


def id_of(text: object) -> ResourceId:
    try:
        return resource_id(str(text))
    except InputError:
        raise bad_request("LinkedInvalidPropertyId", f"{quoted(text)} is no resource id.") from None
