"""Who may ask, as far as a lab cares: metadata, tokens, and the form of a bearer token.

What clients of Azure look for before their first ARM call, so that they work on the lab unmodified: the cloud's
endpoints (`az cloud register`), OpenID configuration and token endpoint of a tenant (service principals, also with
`adfs`), and the managed identity's token. Tokens are unsigned and prove nothing; a call to ARM needs one of the right
form, because real clients are tested by being told no.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from farshore.arm.http import Response
from farshore.arm.json import dumps

LIFETIME = 86_400
OPEN = ("_lab", "_disk", "_blob")
"""First segments of paths that need no token."""


def token(tenant: str, now: int, *, audience: str) -> str:
    """An unsigned JWT with what clients read in it."""
    claims = {
        "aud": audience,
        "iss": f"{audience}/{tenant}/",
        "tid": tenant,
        "oid": tenant,
        "appid": tenant,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
    }
    head = {"typ": "JWT", "alg": "none"}
    return ".".join([*(urlsafe_b64encode(dumps(part)).decode().rstrip("=") for part in (head, claims)), "lab"])


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


def answer(method: str, path: str, form: Mapping[str, str], base: str, tenant: str, now: int) -> Response | None:
    """The answer to a request of a login, or None where it is something else."""
    parts = path.strip("/").split("/")
    if path == "/metadata/endpoints":
        return Response(status=200, body=_endpoints(base, tenant))
    if path == "/metadata/identity/oauth2/token":
        return Response(status=200, body={**_token(tenant, now, base), "resource": base, "client_id": tenant})
    if parts[-2:] == [".well-known", "openid-configuration"]:
        return Response(status=200, body=_openid(parts[0], base, tenant))
    if method == "POST" and parts[-1] == "token" and "oauth2" in parts:
        if form.get("client_secret") == "wrong":
            said = "AADSTS7000215: Invalid client secret provided."
            return Response(status=401, body={"error": "invalid_client", "error_description": said})
        return Response(status=200, body=_token(tenant, now, base))
    return None


def _token(tenant: str, now: int, base: str) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "ext_expires_in": LIFETIME,
        "expires_on": str(now + LIFETIME),
        "access_token": token(tenant, now, audience=base),
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
