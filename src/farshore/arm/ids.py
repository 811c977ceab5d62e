"""Resource ids.

    /subscriptions/{s}/resourceGroups/{g}/providers/{namespace}/{type}/{name}[/{type}/{name}]...

Azure compares ids without regard to case and answers them in whatever case it likes (`resourcegroups`,
`/Subscriptions/` in Site Recovery): two ids are equal when their lower-case forms are. The text is kept as it
came, for showing and for sending. Extension resources repeat `/providers/`; the last provider gives the type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from farshore.errors import InputError

EXPECTED = "/subscriptions/{subscription}/resourceGroups/{group}/providers/{namespace}/{type}/{name}"


class ResourceId:
    """One ARM resource id; equal and hashed by `key`, its lower-case text."""

    __slots__ = ("_top", "_type", "key", "namespace", "pairs", "resource_group", "subscription", "text")

    _top: ResourceId
    _type: str
    text: str
    key: str
    subscription: str
    resource_group: str | None
    namespace: str
    pairs: tuple[tuple[str, str], ...]

    def __init__(self, text: str) -> None:
        parts = text.strip("/").split("/") if isinstance(text, str) else []
        clean = "/" + "/".join(parts)
        key = clean.lower()
        lower = key.split("/")[1:]
        if not text.startswith("/") or len(parts) < 2 or lower[0] != "subscriptions" or not all(parts):
            raise InputError("This is not a resource id", value=text, expected=EXPECTED)
        group = parts[3] if len(parts) > 3 and lower[2] == "resourcegroups" else None
        rest = parts[4:] if group is not None else parts[2:]
        rest_lower = lower[4:] if group is not None else lower[2:]
        namespace = "Microsoft.Resources"
        pairs: list[tuple[str, str]] = []
        if "providers" in rest_lower:
            last = len(rest) - 1 - rest_lower[::-1].index("providers")
            tail = rest[last + 1 :]
            if len(tail) < 3 or len(tail) % 2 == 0:
                raise InputError("This resource id has no whole type and name", value=text, expected=EXPECTED)
            if last > 0:
                # An extension: what it stands on is a resource of its own, or nothing that Azure could find.
                ResourceId("/".join(["", *parts[: len(parts) - len(tail) - 1]]))
            namespace = tail[0]
            pairs = list(zip(tail[1::2], tail[2::2], strict=True))
        elif rest:
            raise InputError("This resource id has no /providers/", value=text, expected=EXPECTED)
        self._set(clean, key, parts[1], group, namespace, tuple(pairs))

    def _set(
        self,
        text: str,
        key: str,
        subscription: str,
        resource_group: str | None,
        namespace: str,
        pairs: tuple[tuple[str, str], ...],
    ) -> None:
        put = object.__setattr__
        put(self, "text", text)
        put(self, "key", key)
        put(self, "subscription", subscription)
        put(self, "resource_group", resource_group)
        put(self, "namespace", namespace)
        put(self, "pairs", pairs)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a ResourceId does not change ({name})")

    @property
    def type(self) -> str:
        """`Microsoft.Network/virtualNetworks/subnets`; groups are `Microsoft.Resources/resourceGroups`."""
        try:
            return self._type
        except AttributeError:
            pass
        if self.pairs:
            found = "/".join([self.namespace, *(kind for kind, _ in self.pairs)])
        else:
            found = "Microsoft.Resources/" + ("resourceGroups" if self.resource_group else "subscriptions")
        object.__setattr__(self, "_type", found)
        return found

    @property
    def name(self) -> str:
        if self.pairs:
            return self.pairs[-1][1]
        return self.resource_group or self.subscription

    @property
    def parent(self) -> ResourceId | None:
        """The resource that this one is a child of, or None at the top of its type."""
        if len(self.pairs) < 2:
            return None
        text, key = self.text.rsplit("/", 2)[0], self.key.rsplit("/", 2)[0]
        return self._like(text, key, self.pairs[:-1])

    @property
    def top(self) -> ResourceId:
        """The top-level resource that this one is, or is a part of."""
        if len(self.pairs) < 2:
            return self
        try:
            return self._top
        except AttributeError:
            pass
        below = 2 * (len(self.pairs) - 1)
        found = self._like(self.text.rsplit("/", below)[0], self.key.rsplit("/", below)[0], self.pairs[:1])
        object.__setattr__(self, "_top", found)
        return found

    @property
    def group_id(self) -> ResourceId | None:
        """The resource group's own id."""
        if self.resource_group is None:
            return None
        return resource_id(f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}")

    @property
    def short(self) -> str:
        """`virtualNetworks/Source-vNet1/subnets/app`: what a person reads."""
        return "/".join(part for pair in self.pairs for part in pair) or self.name

    def child(self, kind: str, name: str) -> ResourceId:
        text = f"{self.text}/{kind}/{name}"
        if not self.pairs or not kind or not name or "/" in kind or "/" in name:
            return ResourceId(text)
        return self._like(text, text.lower(), (*self.pairs, (kind, name)))

    def _like(self, text: str, key: str, pairs: tuple[tuple[str, str], ...]) -> ResourceId:
        """One of the same provider. A network has hundreds of children: what is known is not parsed again for each."""
        found = ResourceId.__new__(ResourceId)
        found._set(text, key, self.subscription, self.resource_group, self.namespace, pairs)
        return found

    def is_a(self, kind: str) -> bool:
        """Whether the type is `kind`, without regard to case."""
        return self.type.lower() == kind.lower()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResourceId) and self.key == other.key

    def __lt__(self, other: ResourceId) -> bool:
        return self.key < other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"ResourceId({self.text!r})"

    def __reduce__(self) -> tuple[Callable[[str], ResourceId], tuple[str]]:
        return (ResourceId, (self.text,))


@lru_cache(maxsize=65536)
def resource_id(text: str) -> ResourceId:
    """A `ResourceId`, parsed once for each text."""
    return ResourceId(text)


def make_id(subscription: str, group: str, type_: str, *names: str) -> ResourceId:
    """`make_id(s, g, "Microsoft.Network/virtualNetworks/subnets", "hub", "nva")`."""
    namespace, *kinds = type_.split("/")
    assert len(kinds) == len(names), f"{type_} needs {len(kinds)} names, got {names}"
    tail = "/".join(f"{kind}/{name}" for kind, name in zip(kinds, names, strict=True))
    return resource_id(f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{namespace}/{tail}")


def references(value: object) -> Iterator[ResourceId]:
    """The top-level resources whose ids stand anywhere in a body."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
    elif isinstance(value, str) and value[:15].lower() == "/subscriptions/" and "/providers/" in value.lower():
        yield resource_id(value).top
