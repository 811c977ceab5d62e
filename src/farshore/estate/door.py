"""The door: what every body passes once, when it is read.

Three things happen here and nowhere else. Secrets become `REDACTED`, in resources that we do not understand too, so
that no file, log or report of ours can hold one. An address range with host bits set, a text that is no address and a
location that is no region are refused with their place (L22), because everything after this computes with them.
Markers (`<param:x>`) are kept as they came and reported, because what rests on them is unknown and not wrong.

A secret is known by its name (`sharedKey`, `adminPassword`, ...) or by its look (`sig=` in an address, `AccountKey=` in
a connection string, a private key's first line). A circuit's `serviceKey` is no secret (E1); a reference to a vault's
secret is not one either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from farshore.arm.decode import holds_marker
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.regions import find_region, is_geography, nearest_region

REDACTED = "REDACTED"


class MisfitError(Exception):
    """A value that may not pass. `path` grows from the inside out while the error travels up."""

    def __init__(self, what: str, value: object, expected: str, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.value = value
        self.expected = expected
        self.remedy = remedy
        self.path: list[str] = []

    @property
    def place(self) -> str:
        """`properties.addressSpace.addressPrefixes[0]`"""
        return "".join(part if part.startswith("[") else "." + part for part in self.path).lstrip(".")


class Door:
    """Lets bodies in, one after the other, and counts the markers that it saw."""

    __slots__ = ("_ranges_only", "_understood", "markers")

    def __init__(self) -> None:
        self.markers = 0
        self._understood = False
        self._ranges_only = False

    def admit(self, body: Body, id_: ResourceId, understood: bool) -> Body:
        """The body without its secrets (the same object where it had none). Raises `MisfitError`."""
        self._understood = understood
        # Routes and security rules may hold a service tag where a range could stand (R18, R44).
        self._ranges_only = id_.type.lower() not in _MAY_HOLD_TAGS
        location = body.get("location")
        if location is not None:
            self._location(location)
        admitted = self._object(body, "")
        assert isinstance(admitted, dict)
        return admitted

    def _location(self, location: object) -> None:
        if not isinstance(location, str):
            expected = "an Azure region, such as eastasia"
            misfit = MisfitError("the location is not a text", location, expected, "write the region's name")
        elif (
            location.lower() in ("", "global")
            or holds_marker(location)
            or find_region(location) is not None
            or (not self._understood and is_geography(location))
        ):
            return
        else:
            near = nearest_region(location)
            remedy = "write the region that the resource is in" if near is None else f"did you mean {near}?"
            misfit = MisfitError(
                f"Azure has no region {location}", location, "an Azure region, such as eastasia", remedy
            )
        misfit.path = ["location"]
        raise misfit

    def _object(self, value: dict[str, Any], under: str) -> dict[str, Any]:
        """A dict, rebuilt only from the first change on: most bodies hold no secret."""
        changed: dict[str, Any] | None = None
        for key, item in value.items():
            try:
                new = self._item(key, item, under)
            except MisfitError as misfit:
                misfit.path.insert(0, key)
                raise
            if new is not item:
                if changed is None:
                    changed = dict(value)
                changed[key] = new
        return value if changed is None else changed

    def _item(self, key: str, item: Any, under: str) -> Any:
        kind = _kind_of(key)
        if kind == _SECRET:
            return _redacted(item)
        if kind == _NAMED_VALUE and under in _HOLDERS and isinstance(item, str):
            return _redacted(item)
        if kind == _KEY and under not in _NOT_KEYS and isinstance(item, str):
            return _redacted(item)
        if self._understood and kind == _LIST and not isinstance(item, list | None) and not holds_marker(item):
            raise MisfitError("this is no list", item, "a list", "put it into [ ]")
        if self._understood and item:
            if kind == _RANGE:
                self._range(item)
            elif kind == _ADDRESS:
                self._address(item)
            elif kind == _REFERENCE:
                self._reference(item)
        return self._value(item, key.lower())

    def _value(self, item: Any, under: str) -> Any:
        if isinstance(item, str):
            if holds_marker(item):
                self.markers += 1
            return _without_secrets(item)
        if isinstance(item, dict):
            return self._object(item, under)
        if isinstance(item, list):
            changed: list[Any] | None = None
            for index, element in enumerate(item):
                try:
                    new = self._value(element, under)
                except MisfitError as misfit:
                    misfit.path.insert(0, f"[{index}]")
                    raise
                if new is not element:
                    if changed is None:
                        changed = list(item)
                    changed[index] = new
            return item if changed is None else changed
        if isinstance(item, int) and abs(item) >= LARGEST:
            raise MisfitError(
                "this number is larger than any that Azure has", item, "a number of 64 bits", "correct it"
            )
        return item

    def _reference(self, item: Any) -> None:
        """`{"id": ...}`, or the list of several: a reference that is none would count as absent, and mislead."""
        for one in item if isinstance(item, list) else [item]:
            if holds_marker(one):
                continue
            if not isinstance(one, dict):
                raise MisfitError("this refers to nothing", one, _REFERS, "write the resource's id into an object")
            text = one.get("id")
            if text is None or holds_marker(text):
                continue
            if not isinstance(text, str) or not text.startswith("/"):
                misfit = MisfitError("this is no resource id", text, _REFERS, "write the resource's full id")
                misfit.path = ["id"]
                raise misfit

    def _range(self, item: Any) -> None:
        for index, text in enumerate(item if isinstance(item, list) else [item]):
            try:
                self._one_range(text)
            except MisfitError as misfit:
                if isinstance(item, list):
                    misfit.path.insert(0, f"[{index}]")
                raise

    def _one_range(self, text: Any) -> None:
        expected = "a prefix like 10.1.0.0/24 with no host bits set"
        if not isinstance(text, str):
            raise MisfitError("this is not an address range", text, expected, "write the range as a text")
        if holds_marker(text) or ("/" not in text and not self._ranges_only):
            return
        try:
            if "/" not in text:
                raise ValueError(text)
            ip_network(text)
        except ValueError:
            remedy = _without_host_bits(text)
            if remedy is None:
                raise MisfitError(
                    f"{text} is not an address range", text, expected, "write the range with its length"
                ) from None
            raise MisfitError(f"{text} has host bits set", text, expected, f"write {remedy}") from None

    def _address(self, text: Any) -> None:
        if holds_marker(text):
            return
        try:
            if not isinstance(text, str):
                raise ValueError(text)
            ip_address(text)
        except ValueError:
            expected, remedy = "an address like 10.1.0.4", "write the address, or leave it out"
            raise MisfitError(f"{text} is not an address", text, expected, remedy) from None


def marker_places(body: Any, path: str = "") -> Iterator[str]:
    """Paths of all texts of a body that hold a marker."""
    if isinstance(body, str):
        if holds_marker(body):
            yield path
    elif isinstance(body, dict):
        for key, item in body.items():
            yield from marker_places(item, f"{path}.{key}" if path else key)
    elif isinstance(body, list):
        for index, item in enumerate(body):
            yield from marker_places(item, f"{path}[{index}]")


def _without_host_bits(text: str) -> str | None:
    try:
        return str(ip_network(text, strict=False)) if "/" in text else None
    except ValueError:
        return None


def is_secret(name: str) -> bool:
    """Whether a property of this name holds a secret."""
    return _kind_of(name) == _SECRET


def _redacted(item: Any) -> Any:
    """`REDACTED` for anything that could be a secret; a switch, nothing at all and a template's marker are none."""
    if item is None or isinstance(item, bool) or item in ("", [], {}, REDACTED):
        return item
    if isinstance(item, str) and item.startswith(("<param:", "<reference ")) and item.endswith(">"):
        return item
    return REDACTED


_SECRET_TEXT = re.compile(
    r"(?P<signature>(?:^|[?&;])sig=)[^&\s\"']+"
    r"|(?P<pair>\b(?:AccountKey|SharedAccessKey|SharedSecretKey|SharedAccessSignature|Password|Pwd)\s*=\s*)[^;\"]+"
    r"|(?P<user>://[^/:@\s]+:)[^/@\s]+(?=@)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.IGNORECASE | re.DOTALL,
)


def _without_secrets(text: str) -> str:
    if "=" not in text and "://" not in text and "-----" not in text:
        return text
    clean = _SECRET_TEXT.sub(lambda m: (m["signature"] or m["pair"] or m["user"] or "") + REDACTED, text)
    return text if clean == text else clean


_SECRET, _NAMED_VALUE, _KEY, _RANGE, _ADDRESS, _REFERENCE, _LIST, _PLAIN = range(8)

_REFERS = 'a reference, {"id": "/subscriptions/..."}'
_REFERENCES = frozenset(
    {"routetable", "networksecuritygroup", "remotevirtualnetwork", "virtualnetworkgateway1", "virtualmachine"}
)
_LISTS = frozenset({"subnets", "routes", "ipconfigurations", "virtualnetworkpeerings", "securityrules"})
"""What the rules rest on: a value of another shape would read as absent."""
LARGEST = 2**64

_SECRET_NAMES_TEXT = (
    "sharedkey, authorizationkey, adminpassword, password, passphrase, pwd, customdata, userdata,"
    " protectedsettings, connectionstring, connectionstrings, accountkey, storageaccountkey,"
    " storageaccountprimarykey, accesskey, accesskeys, apikey, masterkey, primarymasterkey,"
    " secondarymasterkey, primaryreadonlymasterkey, secondaryreadonlymasterkey, primarykey, secondarykey,"
    " functionkey, hostkey, privatekey, sshprivatekey, secret, clientsecret, appsecret,"
    " radiusserversecret, sharedsecret, sastoken, accesssas, sasuri, accesstoken, refreshtoken,"
    " bearertoken, registrationtoken, securevalue, pfx, pfxblob, unattendcontent, instrumentationkey"
)
_SECRET_NAMES = frozenset(_SECRET_NAMES_TEXT.split(", "))
_SECRET_ENDS = (
    "password",
    "passphrase",
    "connectionstring",
    "sharedkey",
    "authorizationkey",
    "accesskey",
    "accountkey",
    "privatekey",
    "clientsecret",
    "serversecret",
    "sastoken",
)
_HOLDERS = frozenset(
    {"keys", "secrets", "appsettings", "connectionstrings", "environmentvariables", "additionalunattendcontent"}
)
"""Lists whose members keep a secret under a plain name: `keys: [{keyName, value}]`."""

_NOT_KEYS = frozenset({"keycreationtime", "tags"})
"""Objects in which `key1` is a date or a label."""

_MAY_HOLD_TAGS = frozenset(
    {
        "microsoft.network/routetables",
        "microsoft.network/routetables/routes",
        "microsoft.network/networksecuritygroups",
        "microsoft.network/networksecuritygroups/securityrules",
    }
)


@lru_cache(maxsize=4096)
def _kind_of(key: str) -> int:
    name = key.replace("_", "").replace("-", "").lower()
    if name in _SECRET_NAMES or name.endswith(_SECRET_ENDS):
        return _SECRET
    if name in ("value", "content", "data"):
        return _NAMED_VALUE
    if name in ("key1", "key2"):
        return _KEY
    if name.endswith(("addressprefix", "addressprefixes")):
        return _RANGE
    if name in ("privateipaddress", "nexthopipaddress"):
        return _ADDRESS
    if name in _REFERENCES:
        return _REFERENCE
    if name in _LISTS:
        return _LIST
    return _PLAIN
