"""What Azure fills in about a machine's guest: its image, its system disk, the agent in it.

A machine that is made from an image shows the image's exact version, an operating system and the settings of the agent
that Azure puts there, whether or not the request spoke of them (recorded). One that is made from disks says nothing of
what is on them.
"""

from __future__ import annotations

import re

from farshore.arm.json import Body

WINDOWS = "Windows"
LINUX = "Linux"
CREATE_OPTIONS = {name.lower(): name for name in ("FromImage", "Empty", "Attach", "Copy", "Restore")}
IMAGE_GB = {LINUX: 30, WINDOWS: 127}
_PREMIUM = re.compile(r"_(DS|GS|FS|LS)|s(_v\d+)?$")
"""Sizes that take premium disks have an s in their name."""
LATEST = "1.0.0"
"""The version of every platform image."""


def system_of(properties: Body) -> str | None:
    """Linux or Windows, by the settings that were sent or by the image; None where nothing tells."""
    profile = properties.get("osProfile") or {}
    storage = properties.get("storageProfile") or {}
    told = (storage.get("osDisk") or {}).get("osType")
    if told:
        return str(told)
    if profile.get("linuxConfiguration") is not None:
        return LINUX
    if profile.get("windowsConfiguration") is not None:
        return WINDOWS
    image = storage.get("imageReference") or {}
    if not image.get("publisher") and not image.get("offer"):
        return WINDOWS if profile else None
    return WINDOWS if "windows" in f"{image.get('publisher')} {image.get('offer')}".lower() else LINUX


def default_sku(size: object) -> str:
    """The kind of disk that a machine of a size gets unasked."""
    return "Premium_LRS" if _PREMIUM.search(str(size)) else "Standard_LRS"


def image_shown(image: Body) -> Body:
    """A platform image with the version that `latest` was."""
    if not image.get("publisher"):
        return image
    version = str(image.get("version") or "latest")
    return {**image, "exactVersion": LATEST if version == "latest" else version}


def profile_shown(profile: Body, system: str | None) -> Body:
    """The settings of the guest's agent."""
    shared = {"provisionVMAgent": True, "enableVMAgentPlatformUpdates": False}
    found: Body = {"secrets": [], "allowExtensionOperations": True, "requireGuestProvisionSignal": True, **profile}
    if system == LINUX:
        patches = {"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"}
        sent = found.get("linuxConfiguration") or {}
        found["linuxConfiguration"] = {
            "disablePasswordAuthentication": False,
            **shared,
            "patchSettings": patches,
            **sent,
        }
    elif system == WINDOWS:
        patches = {"patchMode": "AutomaticByOS", "assessmentMode": "ImageDefault"}
        sent = found.get("windowsConfiguration") or {}
        found["windowsConfiguration"] = {"enableAutomaticUpdates": True, **shared, "patchSettings": patches, **sent}
    return found


def guest_view(body: Body, time: str) -> Body:
    """What the agent of a running machine says of itself."""
    properties = body["properties"]
    storage = properties.get("storageProfile") or {}
    system = str((storage.get("osDisk") or {}).get("osType") or LINUX)
    image = storage.get("imageReference") or {}
    status = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Ready",
        "message": "Guest Agent is running",
        "time": time,
    }
    return {
        "osName": str(image.get("offer") or system),
        "osVersion": str(image.get("sku") or ""),
        "vmAgent": {"vmAgentVersion": "2.9.1.1", "statuses": [status], "extensionHandlers": []},
        "hyperVGeneration": generation_of(properties),
    }


def generation_of(properties: Body) -> str:
    """V2 where the image's plan or a trusted launch says so."""
    plan = str(((properties.get("storageProfile") or {}).get("imageReference") or {}).get("sku") or "").lower()
    trusted = (properties.get("securityProfile") or {}).get("securityType") is not None
    return "V2" if trusted or "gen2" in plan or plan.endswith("-g2") else "V1"
