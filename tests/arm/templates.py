"""A place to deploy to that is nowhere, and a value evaluated there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.arm.templates import Place, Scope

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
PLACE = Place(
    subscription=SUBSCRIPTION,
    group=resource_id(GROUP),
    resource_group={"id": GROUP, "name": "rg", "location": "eastasia", "tags": {"Owner": "us"}},
    about_subscription={"id": f"/subscriptions/{SUBSCRIPTION}", "subscriptionId": SUBSCRIPTION, "tenantId": "t"},
    deployment={"name": "main"},
    now=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
    seed="s",
)
AT_SUBSCRIPTION = Place(subscription=SUBSCRIPTION, group=None, about_subscription=PLACE.about_subscription)


def scope(template: Body, place: Place = PLACE, **given: Any) -> Scope:
    return Scope({"resources": [], **template}, place, given)


def value(expression: Any, template: Body | None = None, place: Place = PLACE, **given: Any) -> Any:
    return scope(template or {}, place, **given).value(expression)
