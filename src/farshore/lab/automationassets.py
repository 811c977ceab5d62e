"""What a Python runbook imports in Azure Automation to use the account's variables and credentials by name.

The lab copies this file beside each runbook that it runs (`lab/programs.py`); it needs nothing but Python. Values are
those of the moment at which the job began; a variable that is set here is set in the lab at once, by the same request
that anybody would send. Connections and certificates are not there.
"""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

_ASSETS: dict[str, Any] = {}
_API_VERSION = "2023-11-01"


class AutomationAssetNotFound(Exception):  # noqa: N818 - Azure's own name for it
    """There is nothing of this name."""


def get_automation_variable(name: str) -> Any:
    """A variable's value, what its JSON says: a text, a number, a switch, or None. Encrypted ones as well."""
    value = _named("variables", name)
    return None if value is None else json.loads(value)


def set_automation_variable(name: str, value: Any) -> None:
    """Write a variable that is there already. `RuntimeError` tells what the lab refused."""
    key = _key("variables", name)
    text = json.dumps(value)
    url = f"{os.environ['FARSHORE_LAB_URL']}{_assets()['account']}/variables/{key}?api-version={_API_VERSION}"
    request = urllib.request.Request(
        url,
        method="PATCH",
        data=json.dumps({"name": key, "properties": {"value": text}}).encode(),
        headers={
            "Authorization": f"Bearer {os.environ['FARSHORE_LAB_TOKEN']}",
            "Content-Type": "application/json",
        },
    )
    context = ssl.create_default_context(cafile=os.environ["FARSHORE_LAB_CA"])
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=60):
            pass
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{name} was not set: {error.code} {error.read().decode(errors='replace')}") from None
    _assets()["variables"][key] = text


def get_automation_credential(name: str) -> dict[str, str]:
    """`{"username": ..., "password": ...}`."""
    return dict(_named("credentials", name))


def get_automation_connection(name: str) -> dict[str, Any]:
    raise AutomationAssetNotFound(f"The lab keeps no connections, so there is no {name}.")


def get_automation_certificate(name: str) -> bytes:
    raise AutomationAssetNotFound(f"The lab keeps no certificates, so there is no {name}.")


def _assets() -> dict[str, Any]:
    if not _ASSETS:
        _ASSETS.update(json.loads((Path(__file__).parent / "assets.json").read_text()))
    return _ASSETS


def _named(kind: str, name: str) -> Any:
    return _assets()[kind][_key(kind, name)]


def _key(kind: str, name: str) -> str:
    """The name as it is written in the account; capitals make no difference."""
    for known in _assets()[kind]:
        if known.lower() == name.lower():
            return str(known)
    raise AutomationAssetNotFound(f"There is no {name} among the account's {kind}.")
