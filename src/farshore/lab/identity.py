"""Who may ask, as far as a lab cares: metadata, tokens, and the form of a bearer token.

What clients of Azure look for before their first ARM call, so that they work on the lab unmodified: the cloud's
endpoints (`az cloud register`), OpenID configuration and token endpoint of a tenant (service principals, also with
`adfs`), and the managed identity's token. Tokens are unsigned and prove nothing; a call to ARM needs one of the right
form, because real clients are tested by being told no. Whom its claims name, role assignments are about
(`lab/authorization/`): a service principal's object id is its client id.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from msgspec import DecodeError

from farshore.arm.http import Response
from farshore.arm.json import dumps, loads


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who a token speaks of. One that speaks of nobody (`object_id` empty) is the owner of the lab."""

    object_id: str = ""
    name: str = ""
    """What a refusal calls the client: its application id, or a user's name."""
    groups: tuple[str, ...] = ()


OWNER = Caller()
AZ_ITSELF = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The client id with which `az` and azure-identity log a person in."""
LIFETIME = 86_400
"""Seconds for which a token says that it is good."""
OPEN = ("_lab", "_disk", "_blob")
"""First segments of paths that need no token."""


def token(tenant: str, now: int, *, audience: str, who: str = "", name: str = "") -> str:
    """An unsigned JWT with what clients read in it. `who` is the object id; without one it is the lab's owner."""
    claims = {
        "aud": audience,
        "iss": f"{audience}/{tenant}/",
        "tid": tenant,
        "oid": who or tenant,
        "appid": who or tenant,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
    }
    if name:
        claims["upn"] = name
    head = {"typ": "JWT", "alg": "none"}
    return ".".join([*(urlsafe_b64encode(dumps(part)).decode().rstrip("=") for part in (head, claims)), "lab"])


def caller(headers: Mapping[str, str]) -> Caller:
    """Who a request's token speaks of. One without claims, or of the lab's own (its object id is the tenant's), and a
    request without a token, as a client in the lab's process sends it, come from the owner."""
    _, _, value = headers.get("authorization", "").partition(" ")
    return _speaks_of(value) if value else OWNER


@lru_cache(maxsize=256)
def _speaks_of(value: str) -> Caller:
    parts = value.split(".")
    if len(parts) != 3:
        return OWNER
    try:
        claims = loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, DecodeError):
        return OWNER
    oid = claims.get("oid") if isinstance(claims, dict) else None
    if not isinstance(oid, str) or not oid or oid == claims.get("tid"):
        return OWNER
    groups = claims.get("groups")
    return Caller(
        object_id=oid,
        name=str(claims.get("upn") or claims.get("appid") or oid),
        groups=tuple(str(group) for group in groups) if isinstance(groups, list) else (),
    )


def refusal(headers: Mapping[str, str], path: str, base: str) -> Response | None:
    """401 for an ARM call without a bearer token of the right form."""
    if path.strip("/").split("/", 1)[0] in OPEN:
        return None
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and value.count(".") == 2 and all(value.split(".")):
        return None
    said = "The access token is invalid." if value else "Authentication failed. The 'Authorization' header is missing."
    challenge = f'Bearer authorization_uri="{base}/lab", error="invalid_token", error_description="{said}"'
    code = "InvalidAuthenticationToken" if value else "AuthenticationFailed"
    return Response(
        status=401, headers={"www-authenticate": challenge}, body={"error": {"code": code, "message": said}}
    )


def answer(
    method: str,
    path: str,
    form: Mapping[str, str],
    base: str,
    tenant: str,
    now: int,
    identity_header: str = "",
) -> Response | None:
    """The answer to a request of a login, or None where it is something else. `identity_header` is what a program in a
    sandbox shows for its managed identity: the object id, or `none` where its account has no identity."""
    parts = path.strip("/").split("/")
    if path == "/metadata/endpoints":
        return Response(status=200, body=_endpoints(base, tenant))
    if path == "/metadata/identity/oauth2/token":
        if identity_header == "none":
            said = "The automation account has no system-assigned identity."
            return Response(status=400, body={"error": "identity_not_found", "error_description": said})
        token_ = _token(tenant, now, base, identity_header)
        return Response(status=200, body={**token_, "resource": base, "client_id": identity_header or tenant})
    if parts[-2:] == [".well-known", "openid-configuration"]:
        return Response(status=200, body=_openid(parts[0], base, tenant))
    if method == "POST" and parts[-1] == "token" and "oauth2" in parts:
        if form.get("client_secret") == "wrong":
            said = "AADSTS7000215: Invalid client secret provided."
            return Response(status=401, body={"error": "invalid_client", "error_description": said})
        return Response(status=200, body=_token(tenant, now, base, *_asks(form)))
    return None


def _asks(form: Mapping[str, str]) -> tuple[str, str]:
    """Whom a login names, as an object id, and its name: a service principal's object id is its client id here, a
    user's is a hash of the name. A login that names no GUID is the owner's."""
    user = form.get("username", "")
    if user:
        return str(uuid5(NAMESPACE_URL, user.lower())), user
    try:
        client = str(UUID(form.get("client_id", "")))
    except ValueError:
        return "", ""
    return ("", "") if client == AZ_ITSELF else (client, "")


def _token(tenant: str, now: int, base: str, who: str = "", name: str = "") -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "ext_expires_in": LIFETIME,
        "expires_on": str(now + LIFETIME),
        "access_token": token(tenant, now, audience=base, who=who, name=name),
    }


def _openid(name: str, base: str, tenant: str) -> dict[str, Any]:
    adfs = name.lower() == "adfs"
    root = f"{base}/adfs" if adfs else f"{base}/{name}"
    oauth = f"{root}/oauth2" if adfs else f"{root}/oauth2/v2.0"
    return {
        "issuer": f"{base}/{tenant}/v2.0",
        "token_endpoint": f"{oauth}/token",
        "authorization_endpoint": f"{oauth}/authorize",
        "device_authorization_endpoint": f"{oauth}/devicecode",
        "jwks_uri": f"{root}/discovery/v2.0/keys",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["code", "id_token", "token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "tenant_region_scope": "LAB",
        "cloud_instance_name": base.removeprefix("https://"),
    }


def _endpoints(base: str, tenant: str) -> dict[str, Any]:
    host = base.removeprefix("https://")
    return {
        "name": "FarshoreLab",
        "portal": base,
        "resourceManager": base,
        "gallery": base,
        "batch": base,
        "graph": base,
        "graphEndpoint": base,
        "microsoftGraphResourceId": base,
        "sqlManagement": base,
        "media": base,
        "vmImageAliasDoc": base,
        "activeDirectoryDataLake": base,
        "authentication": {
            "loginEndpoint": base,
            "audiences": [base, f"{base}/"],
            "tenant": tenant,
            "identityProvider": "AAD",
        },
        "suffixes": {
            "storage": host,
            "keyVaultDns": host,
            "sqlServerHostname": host,
            "acrLoginServer": host,
            "azureDataLakeStoreFileSystem": host,
            "azureDataLakeAnalyticsCatalogAndJob": host,
        },
    }
