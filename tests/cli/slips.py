"""Slips: farshore.yaml and estate.json of the published example, as somebody has edited them or will.

Each says what the message must hold and which line it must point at.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

YAML, ESTATE, PLAN = "farshore.yaml", "estate.json", "plan.json"
DRILL = "drill: {address_space: [10.201.0.0/24, 10.202.0.0/24]}"
BOOT = "[[db1, file1], [web1, web2, app1, app2]]"
PREFIXES = "prefixes: [192.168.0.0/16]"
KEEP = "addresses: keep"

Files = dict[str, bytes]


@dataclass(frozen=True)
class Slip:
    """An edit of the example's files; then what the message must hold, and the text of the line that it points at."""

    name: str
    edit: Callable[[Files], None]
    says: str
    at: str | None
    """A part of the line that the message names; None where the file as a whole is meant."""
    file: str = YAML


def yaml(old: str, new: str, says: str, at: str | None = None) -> Slip:
    """`old` becomes `new` in farshore.yaml, at its first place."""

    def edit(files: Files) -> None:
        text = files[YAML].decode()
        assert old in text, old
        files[YAML] = text.replace(old, new, 1).encode()

    return Slip(new.strip()[:40] or f"no {old.strip()}", edit, says, at or new.strip().splitlines()[-1].strip())


def whole(name: str, content: str | bytes, says: str, at: str | None = None, file: str = YAML) -> Slip:
    data = content if isinstance(content, bytes) else content.encode()
    return Slip(name, lambda files: files.__setitem__(file, data), says, at, file)


def body(name: str, edit: Callable[[dict[str, Any]], Any], says: str, at: str, of: str = "Source-vNet1") -> Slip:
    """One body of estate.json is edited."""

    def change(files: Files) -> None:
        resources = json.loads(files[ESTATE])
        edit(next(item for item in resources if item["name"] == of))
        files[ESTATE] = json.dumps(resources, indent=2).encode()

    return Slip(name, change, says, at, ESTATE)


def text(name: str, old: str, new: str, says: str, at: str) -> Slip:
    """The text of estate.json is edited, which need not be JSON afterwards."""

    def edit(files: Files) -> None:
        assert old.encode() in files[ESTATE], old
        files[ESTATE] = files[ESTATE].replace(old.encode(), new.encode(), 1)

    return Slip(name, edit, says, at, ESTATE)


def _second_body(files: Files) -> None:
    resources = json.loads(files[ESTATE])
    nic = next(item for item in resources if item["name"] == "web1-nic")
    other = json.loads(json.dumps(nic).replace("rg-source", "RG-Source").replace("10.1.0.4", "10.1.0.99"))
    files[ESTATE] = json.dumps([*resources, other], indent=2).encode()


def _second_circuit(files: Files) -> None:
    """Two circuits of one name in two groups: a name alone means neither."""
    resources = json.loads(files[ESTATE])
    circuit = next(item for item in resources if item["name"] == "er-singapore")
    other = json.loads(json.dumps(circuit).replace("rg-expressroute", "rg-other"))
    files[ESTATE] = json.dumps([*resources, other], indent=2).encode()


def first(body: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties of a body's first child of a kind."""
    found: dict[str, Any] = body["properties"][kind][0]["properties"]
    return found


def deep(levels: int) -> Any:
    """A value of so many lists in each other."""
    return "[" * levels + "]" * levels


BOMB = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}, *{p}, *{p}]\n" for p, n in zip("abcdefgh", "bcdefghi"))  # noqa: B905

SLIPS = (
    # What is no YAML, or no project.
    yaml("    asn: 65010", "\tasn: 65010", "not YAML", "asn: 65010"),
    yaml("{region: eastasia}", "{region: eastasia", "not YAML", "target:"),
    yaml('["*"]', "[*all]", "alias", "[*all]"),
    whole("empty", "", "empty", ""),
    whole("comments only", "\n# nothing\n", "empty", ""),
    whole("a list", "- 1\n", "keys with values", "- 1"),
    whole("a text", "hello\n", "keys with values", "hello"),
    whole("null", "null\n", "nothing", "null"),
    whole("Latin-1", "version: 1\nname: datacentré\n".encode("latin-1"), "UTF-8", "name"),
    whole("UTF-16", "version: 1\n".encode("utf-16"), "UTF-16", ""),
    whole("a control character", "version: 1\nname: a\x07b\n", "U+0007", "name"),
    whole("two documents", "version: 1\n---\nversion: 1\n", "single document", "---"),
    whole("a bomb of aliases", BOMB, "unknown key a", "a:"),
    whole("an endless depth", "version: " + deep(50_000), "nesting depth", "version"),
    yaml(PREFIXES, "prefixes: &p [*p]", "text must stand here"),
    yaml(PREFIXES, "prefixes: &p [[*p, *p], [*p, *p]]", "text must stand here"),
    # Keys.
    yaml("topology:", "topolgy:", "did you mean topology?"),
    yaml("local_preference: 100", "local_prefrence: 100", "did you mean local_preference?"),
    yaml("version: 1\n", "", "version is missing", "name:"),
    yaml("    asn: 65010", "    asn: 65010\n    asn: 65011", "comes twice"),
    yaml("lab: {seed: 1", "lab: {<<: {seed: 2}, seed: 1", "unknown key <<", "lab:"),
    yaml("name: datacenter", 'name: !!python/object/apply:os.system ["id"]', "text must stand here"),
    # Values.
    yaml("version: 1", "version: 2", "expected 1"),
    yaml("asn: 65010", "asn: -1", "1 to 4294967295"),
    yaml("asn: 65010", "asn: .nan", "no whole number"),
    yaml("asn: 65010", "asn: 0777", "no whole number"),
    yaml("asn: 65010", 'asn: "65010"', "without quotes"),
    yaml("asn: 65010", "asn: " + "9" * 5000, "5000 characters"),
    yaml("asn: 65010", "asn: 12076", "reserved for Azure"),
    yaml("asn: 65010", "asn:", "asn is missing"),
    yaml("local_preference: 100", "local_preference: -1", "out of range"),
    yaml("prepend: 0", "prepend: 99", "0 to 64"),
    yaml("links: [primary, secondary]", "links: [primary, tertiary]", "one of primary, secondary"),
    yaml("links: [primary, secondary]", "links: [primary, primary]", "stands twice"),
    yaml("links: [primary, secondary]", "links: []", "empty"),
    yaml("links: [primary, secondary]", "links: primary", "write [primary]"),
    yaml("circuit: er-singapore", "circuit: er-singapour", "did you mean er-singapore?"),
    yaml("circuit: er-singapore", "circuit: 7", "in quotes"),
    yaml("circuit: er-singapore", "circuit: /subscriptions/x", "no circuit"),
    yaml("readvertise: []", "readvertise: [er-tokyo]", "no circuit er-tokyo"),
    yaml("filters: []", "filters: [{direction: up, prefix: 10.0.0.0/8, action: deny}]", "one of in, out"),
    yaml("filters: []", "filters: [{direction: in, prefix: 10.1.0.4/24, action: deny}]", "write 10.1.0.0/24"),
    yaml("filters: []", "filters: [{direction: in}]", "prefix is missing"),
    yaml(PREFIXES, "prefixes: [192.168.4.0/16]", "host bits"),
    yaml(PREFIXES, "prefixes: [192.168.0.0]", "not an address range"),
    yaml(PREFIXES, "prefixes: [192.168.0.0/33]", "not an address range"),
    yaml(PREFIXES, "prefixes: 192.168.0.0/16", "write [192.168.0.0/16]"),
    yaml(PREFIXES, "prefixes: [192.168.0.0/16, 192.168.0.0/16]", "stands twice"),
    yaml("source: {region: eastasia}", "source: {region: eastasa}", "did you mean eastasia?"),
    yaml("region: southeastasia", "region: atlantis", "no region atlantis"),
    yaml("region: southeastasia", "region: eastasia", "one region"),
    yaml("resourceGroup: rg-farshore-dr", "resourceGroup: a/b", "resource group"),
    yaml('"{name}-asr"', '"dr"', "{name} in it"),
    yaml('"{name}-asr"', '"{name}-{region}"', "Azure refuses"),
    yaml("topology: two-circuits-two-locations", "topology: three-circuits", "single-circuit-new-addresses"),
    yaml("link: armed", "link: on", "cold, silent, armed"),
    yaml(KEEP, "addresses: new", "keep, or {map"),
    yaml(KEEP, "addresses: {map: []}", "the map is empty"),
    yaml(KEEP, "addresses: {map: [{from: 10.1.0.0/24, to: 10.101.0.0/25}]}", "unequal lengths"),
    yaml(KEEP, "addresses: {map: [{from: 10.1.0.4/24, to: 10.101.0.0/24}]}", "write 10.1.0.0/24"),
    yaml(
        KEEP,
        "addresses: {map: [{from: 10.1.0.0/24, to: 10.9.0.0/24}, {from: 10.2.0.0/24, to: 10.9.0.0/24}]}",
        "two machines would get one address",
    ),
    yaml("name: datacenter", "name: data/center", "slash"),
    yaml("name: datacenter", "name: machines", "objectives mean something else"),
    yaml("change: manual", "change: auto", "manual, or {command"),
    yaml("stateful_firewall: true", "stateful_firewall: 1", "neither true nor false"),
    yaml("{template: nva.json}", "{template: gone.json}", "no file gone.json"),
    yaml("{template: nva.json}", "wish", "no way to the target"),
    yaml('include: ["*"]', "include: []", "empty"),
    yaml('include: ["*"]', "include: [ghost]", "no machine of the estate is called ghost"),
    yaml(BOOT, "[[db1], [web1, db1]]", "two boot groups"),
    yaml(BOOT, "[[ghost]]", "called ghost"),
    yaml(BOOT, "[[db1],[file1],[web1],[web2],[app1],[app2],[a],[b]]", "at most 7"),
    yaml("ports: [tcp/443]", "ports: [tcp/99999]", "1 to 65535"),
    yaml("ports: [tcp/443]", "ports: [443]", "write tcp/443"),
    yaml("ports: [tcp/443]", "ports: [sctp/1]", "no port"),
    yaml("to: machines", "to: ghost", "no site and no machine is called ghost"),
    yaml("from: datacenter", "from: datacentre", "did you mean datacenter?"),
    yaml("to: 10.2.0.0/24", "to: 10.2.0.4/24", "host bits"),
    yaml("through: nva-nic", "through: nva-nik", "did you mean nva-nic?"),
    yaml("name: vNet2 to vNet1", "name: vNet1 to vNet2", "two are called vNet1 to vNet2"),
    yaml("recovery_time_minutes: 60", "recovery_time_minutes: -5", "above 0"),
    yaml("recovery_time_minutes: 60", "recovery_time_minutes: .inf", "above 0"),
    yaml("survive: [circuit-link, gateway-instance]", "survive: [meteor]", "one of circuit-link"),
    yaml("provision_ahead: all", "provision_ahead: [gatway]", "did you mean gateway?"),
    yaml("provision_ahead: all", "provision_ahead: some", "all, none, or a list"),
    yaml(DRILL, "drill: {}", "one network"),
    yaml(DRILL, "drill: {network: drill-vnet}", "no resource id"),
    yaml("quorum: 1", "quorum: 3", "3 approvals"),
    yaml("cloud: lab", "cloud: moon", "no cloud"),
    yaml("speed: jump", "speed: fast", "no speed"),
    Slip("a circuit's name that means two", _second_circuit, "2 circuits are called er-singapore", "er-singapore"),
    # estate.json: what is no JSON, or no list of bodies.
    whole("an empty estate", "", "empty", "", ESTATE),
    whole("an estate cut short", '[\n  {"id": "/subs', "unterminated", '"/subs', ESTATE),
    whole("an estate of nothing", "[]", "no resources", "[]", ESTATE),
    whole("an estate that is null", "null", "no list of resources", "null", ESTATE),
    whole("an estate of another shape", '{"items": []}', "an object with items", "items", ESTATE),
    whole("an estate of numbers", "[\n1, 2]", "Resource 1 of the list", "1, 2", ESTATE),
    whole("an estate of null", "[\nnull]", "null", "null", ESTATE),
    whole("an estate that is no text", b"[\xff]", "UTF-8", "", ESTATE),
    whole("an estate of endless depth", "[" * 100_000, "nested too deeply", "[", ESTATE),
    text("not a number", '"bandwidthInMbps": 1000', '"bandwidthInMbps": NaN', "NaN", "NaN"),
    text("an endless number", '"bandwidthInMbps": 1000', '"bandwidthInMbps": 1e999', "1e999", "1e999"),
    text("a huge number", '"bandwidthInMbps": 1000', '"bandwidthInMbps": ' + "9" * 30, "64 bits", "99999"),
    text("a huger number", '"bandwidthInMbps": 1000', '"bandwidthInMbps": ' + "9" * 5000, "thousands of", "99999"),
    text("half a character", '"name": "rg-source"', '"name": "rg-\\ud800"', "surrogate", "ud800"),
    # estate.json: bodies.
    body("no id", lambda b: b.pop("id"), "has no id", "{"),
    body("an id that is a number", lambda b: b.update(id=5), "has no id", "{"),
    body("an id that is a name", lambda b: b.update(id="Source-vNet1"), "no resource id", '"id"'),
    body("half an id", lambda b: b.update(id="/subscriptions/s/resourceGroups/g/providers/X"), "no resource id", "/X"),
    body(
        "host bits",
        lambda b: b["properties"]["addressSpace"].update(addressPrefixes=["10.1.0.4/24"]),
        "write 10.1.0.0/24",
        "10.1.0.4/24",
    ),
    body(
        "host bits in a subnet",
        lambda b: first(b, "subnets").update(addressPrefix="10.1.0.4/25"),
        "host bits",
        "10.1.0.4/25",
    ),
    body(
        "host bits in a route",
        lambda b: first(b, "routes").update(addressPrefix="10.1.0.4/24"),
        "host bits",
        "10.1.0.4/24",
        "rt-source-vnet1",
    ),
    body(
        "no address",
        lambda b: first(b, "ipConfigurations").update(privateIPAddress="10.1.0.400"),
        "10.1.0.400 is not an address",
        "10.1.0.400",
        "web1-nic",
    ),
    body("an unknown region", lambda b: b.update(location="atlantis"), "no region atlantis", "atlantis"),
    body("a region with a slip", lambda b: b.update(location="eastasa"), "did you mean eastasia?", "eastasa"),
    body("no properties", lambda b: b.update(properties=[]), "properties are a list", "properties"),
    body("subnets that are none", lambda b: b["properties"].update(subnets={}), "no list", "subnets"),
    body(
        "a subnet without a name",
        lambda b: b["properties"].update(subnets=[{"properties": {}}]),
        "neither an id nor a name",
        "{",
    ),
    body(
        "a reference that is none",
        lambda b: first(b, "subnets").update(routeTable="rt"),
        "refers to nothing",
        "routeTable",
    ),
    body(
        "a reference to a name", lambda b: first(b, "subnets").update(routeTable={"id": "rt"}), "no resource id", '"rt"'
    ),
    Slip("one id in two cases", _second_body, "without regard to case", "{", ESTATE),
)
