"""The user's own price file: what a month of each meter costs. Nothing in it is known here, and nothing is guessed.

    currency: EUR
    gateway: {ErGw1AZ: 140.16}                      by SKU
    public_ip: 3.65
    connection: 0
    circuit: {Standard_MeteredData/200: 145}        by SKU and Mbit/s
    machine: {Standard_F2s_v2: 77}                  by size, 730 hours
    disk: {Premium_LRS: {128: 19.71}}               by SKU and the GiB that it is billed by
    page_blob_gib: {Standard_LRS: 0.05}             the GiB
    cache_storage: 12                               an account, what your changes come to
    site_recovery_instance: 25                      a machine
    peering_gb: 0.035                               taken, and not counted: nobody can expect the traffic

YAML or JSON. An empty value is a price that is not known yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import yaml

from farshore.estate.yaml_nodes import Place, compose
from farshore.plan.meters import FREE, KINDS, Meter

IGNORED = ("peering_gb",)
KEYS = ("currency", *(kind for kind in KINDS if kind not in FREE), *IGNORED)
HOW = "`farshore plan --prices-template FILE` writes one to fill in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices a month by kind and key, keys in lower case as Azure compares names."""

    currency: str
    each: Mapping[tuple[str, tuple[str, ...]], float] = field(default_factory=dict)

    def of(self, meter: Meter) -> float | None:
        """What the meter costs a month, all of its quantity; None where the file does not say."""
        if meter.free:
            return 0.0
        key = tuple(part.lower() for part in meter.key if part is not None)
        price = self.each.get((meter.kind, key)) if len(key) == len(meter.key) else None
        return None if price is None else price * meter.quantity


def parse_prices(text: str, *, file: str) -> Prices:
    """The prices of a file's text. Raises `InputError` with the line for an unknown key, and for what is no price."""
    whole = compose(text, file, expected="prices by kind of meter", remedy=HOW)
    if not whole.is_mapping:
        whole.fail("prices must stand here by kind of meter", expected="a mapping with currency", remedy=HOW)
    top = whole.section(*KEYS)
    each: dict[tuple[str, tuple[str, ...]], float] = {}
    for kind in KEYS[1:]:
        place = top.get(kind)
        if place is not None and kind in IGNORED:
            _price(place)
        elif place is not None:
            _read(place, kind, (), KINDS[kind], each)
    return Prices(currency=top.need("currency", "a currency, as EUR").text(), each=each)


def template(meters: Iterable[Meter], currency: str = "EUR") -> str:
    """A price file with every meter of these that costs something, and no prices yet."""
    lines = [
        "# What a month of each costs you, of 730 hours. What is left empty is unknown, and said to be.",
        f"currency: {currency}",
    ]
    wanted: dict[str, dict[tuple[str, ...], None]] = {}
    for meter in meters:
        if not meter.free and None not in meter.key:
            wanted.setdefault(meter.kind, {})[tuple(part for part in meter.key if part is not None)] = None
    for kind in KINDS:
        if kind not in wanted:
            continue
        keys = sorted(
            wanted[kind], key=lambda key: [(len(part), part) if part.isdigit() else (0, part) for part in key]
        )
        lines.append(f"{kind}:")
        if KINDS[kind] == 1:
            lines += [f"  {key[0]}:" for key in keys]
        elif KINDS[kind] == 2:
            for sku in dict.fromkeys(key[0] for key in keys):
                lines += [f"  {sku}:", *(f"    {key[1]}:" for key in keys if key[0] == sku)]
    return "\n".join(lines) + "\n"


def _read(
    place: Place, kind: str, key: tuple[str, ...], depth: int, each: dict[tuple[str, tuple[str, ...]], float]
) -> None:
    if depth == 0:
        each[kind, key] = _price(place)
        return
    if not place.is_mapping:
        example = "{Premium_LRS: {128: 19.71}}" if kind == "disk" else "{NAME: 12.50}"
        place.fail(f"{kind} has a price for each of its names", expected=example, remedy=f"write {kind}: {example}")
    assert isinstance(place.node, yaml.MappingNode)
    names = tuple(str(name.value) for name, _ in place.node.value if isinstance(name, yaml.ScalarNode))
    section = place.section(*names)
    for name in section:
        below = section.get(name)
        if below is not None:
            _read(below, kind, (*key, name.lower()), depth - 1, each)


def _price(place: Place) -> float:
    """An amount; nothing is one too: a connection's may be."""
    value = place.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        place.fail(f"{place.written} is no price", expected="a number, 0 or more, or nothing where it is unknown")
    return float(value)
