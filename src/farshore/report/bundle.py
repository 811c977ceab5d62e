"""The bundle: the run's files in one archive, with a manifest of their SHA-256 sums and a signature over it.

It verifies offline: the public key stands in the bundle beside the signature, so that a reader who knows the key's
fingerprint (printed when the bundle is made, and by `farshore report verify`) knows who signed, and any reader knows
that nothing has changed since. Ed25519; the private key is the project's own and never leaves `.farshore/`.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from farshore.arm.json import canonical, loads
from farshore.errors import InputError

MANIFEST, SIGNATURE, PUBLIC_KEY = "manifest.json", "manifest.sig", "public-key.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """`wrong` names every file that is missing, added or changed; empty when the bundle is whole."""

    ok: bool
    key_fingerprint: str
    files: tuple[str, ...]
    wrong: tuple[str, ...]


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The project's key, made on first use and readable by its owner alone."""
    if path.is_file():
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise InputError("This is not an Ed25519 key", file=str(path), expected="the key that Farshore made")
        return key
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    return key


def write_bundle(path: Path, files: Mapping[str, bytes], key: Ed25519PrivateKey) -> str:
    """Write the archive; the fingerprint of the key that signed it."""
    manifest = canonical({name: hashlib.sha256(data).hexdigest() for name, data in files.items()})
    public = key.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**files, MANIFEST: manifest, SIGNATURE: key.sign(manifest), PUBLIC_KEY: pem}.items():
            # A fixed time: one run makes one bundle, byte by byte.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return _fingerprint(public)


def verify_bundle(path: Path) -> Verification:
    """Whether a bundle is whole. Raises `InputError` for a file that is no bundle."""
    try:
        with zipfile.ZipFile(path) as archive:
            held = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"This is not a bundle: {error}", file=str(path), expected="the bundle of a run") from None
    missing = [name for name in (MANIFEST, SIGNATURE, PUBLIC_KEY) if name not in held]
    if missing:
        raise InputError(f"This bundle holds no {missing[0]}", file=str(path), expected="the bundle of a run")
    try:
        public = serialization.load_pem_public_key(held[PUBLIC_KEY])
        sums = loads(held[MANIFEST])
    except ValueError as error:
        raise InputError(f"This bundle's key or manifest can't be read: {error}", file=str(path)) from None
    if not isinstance(public, Ed25519PublicKey) or not isinstance(sums, dict):
        raise InputError("This bundle's key or manifest is of another kind", file=str(path))
    wrong = []
    try:
        public.verify(held[SIGNATURE], held[MANIFEST])
    except InvalidSignature:
        wrong.append(f"{MANIFEST}: the signature is not of this manifest")
    payload = {name: data for name, data in held.items() if name not in (MANIFEST, SIGNATURE, PUBLIC_KEY)}
    wrong += [f"{name}: missing" for name in sorted(set(sums) - set(payload))]
    wrong += [f"{name}: not in the manifest" for name in sorted(set(payload) - set(sums))]
    for name in sorted(set(payload) & set(sums)):
        if hashlib.sha256(payload[name]).hexdigest() != sums[name]:
            wrong.append(f"{name}: changed since it was signed")
    return Verification(
        ok=not wrong, key_fingerprint=_fingerprint(public), files=tuple(sorted(payload)), wrong=tuple(wrong)
    )


def _fingerprint(public: Ed25519PublicKey) -> str:
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()
