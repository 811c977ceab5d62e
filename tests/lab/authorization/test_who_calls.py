"""Whom a token speaks of, and what a login puts into it."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest

from farshore.arm.json import dumps, loads
from farshore.lab import identity
from lab.authorization.callers import READER

TENANT = "99999999-0000-4000-8000-000000000000"


def bearer(claims: Any) -> dict[str, str]:
    middle = urlsafe_b64encode(claims if isinstance(claims, bytes) else dumps(claims)).decode().rstrip("=")
    return {"authorization": f"Bearer head.{middle}.tail"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer a.b.c"},
        {"authorization": "Bearer abc"},
        {"authorization": "Basic x"},
        {"authorization": "Bearer ä.ö.ü"},
        bearer(b"not json"),
        bearer([1]),
        bearer({}),
        bearer({"oid": 3}),
        bearer({"oid": TENANT, "tid": TENANT}),
    ],
)
def test_a_token_of_nobody_is_the_owners(headers: dict[str, str]) -> None:
    assert identity.caller(headers) == identity.OWNER


def test_a_token_speaks_of_its_object_id() -> None:
    found = identity.caller(bearer({"oid": READER, "tid": TENANT, "appid": "app", "groups": ["g"]}))
    assert (found.object_id, found.name, found.groups) == (READER, "app", ("g",))
    named = identity.caller(bearer({"oid": READER, "upn": "me@example.com", "groups": "none"}))
    assert (named.name, named.groups) == ("me@example.com", ())


@pytest.mark.parametrize(
    ("form", "object_id"),
    [
        ({"client_id": READER, "client_secret": "x"}, READER),
        ({"client_id": READER.upper()}, READER),
        ({"client_id": "any"}, TENANT),
        ({}, TENANT),
        ({"client_id": identity.AZ_ITSELF}, TENANT),
    ],
)
def test_a_login_is_its_client_ids(form: dict[str, str], object_id: str) -> None:
    answer = identity.answer("POST", f"/{TENANT}/oauth2/v2.0/token", form, "https://x", TENANT, 0)
    assert answer is not None
    middle = answer.body["access_token"].split(".")[1]
    assert loads(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))["oid"] == object_id


def test_a_person_is_the_hash_of_a_name() -> None:
    def oid(name: str) -> str:
        form = {"client_id": identity.AZ_ITSELF, "username": name}
        answer = identity.answer("POST", f"/{TENANT}/oauth2/token", form, "https://x", TENANT, 0)
        assert answer is not None
        return identity.caller({"authorization": "Bearer " + answer.body["access_token"]}).object_id

    assert oid("Me@example.com") == oid("me@example.com") != oid("you@example.com")
