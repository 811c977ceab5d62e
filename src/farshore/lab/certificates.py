"""TLS for a lab on loopback: an authority of its own, made once a project, and a certificate by it.

Clients of Azure refuse anything that is not HTTPS. `lab-ca.pem` is what they must trust; the keys are readable by
their owner only and never leave the project's folder.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

VALID, RENEW = timedelta(days=365), timedelta(days=7)
"""How long a certificate holds, and how long before its end it is renewed."""
BUNDLE = "lab-ca-bundle.pem"
WELL_KNOWN = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    ca: Path
    certificate: Path
    key: Path


def certificates(folder: Path) -> Certificates:
    """The project's certificates, made or renewed where needed."""
    found = Certificates(
        ca=folder / "lab-ca.pem", certificate=folder / "lab-certificate.pem", key=folder / "lab-key.pem"
    )
    if not (found.ca.is_file() and found.certificate.is_file() and found.key.is_file() and _is_good(found)):
        folder.mkdir(parents=True, exist_ok=True)
        _make(found)
    return found


def bundle(folder: Path) -> Path:
    """A file of all authorities that this machine trusts and the lab's: a client that is told of one file only goes on
    trusting the rest of the world. Without a list of the machine's own it holds the lab's alone."""
    place, ca = folder / BUNDLE, folder / "lab-ca.pem"
    defaults = ssl.get_default_verify_paths()
    given = [os.environ.get("SSL_CERT_FILE"), defaults.cafile, defaults.openssl_cafile, *WELL_KNOWN]
    known = next((Path(name) for name in given if name and Path(name).is_file() and Path(name) != place), None)
    parts = [] if known is None else [known.read_text(errors="replace").rstrip()]
    draft = place.with_name(place.name + ".new")
    draft.write_text("\n".join([*parts, ca.read_text()]))
    draft.replace(place)
    return place


def _is_good(found: Certificates) -> bool:
    """Whether the certificate still holds for a while, and all three were made together (a process can be killed
    while it writes them)."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization

    try:
        certificate = x509.load_pem_x509_certificate(found.certificate.read_bytes())
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(found.ca.read_bytes()))
        key = serialization.load_pem_private_key(found.key.read_bytes(), password=None)
    except (ValueError, TypeError, InvalidSignature):
        return False
    is_pair = key.public_key() == certificate.public_key()
    return is_pair and certificate.not_valid_after_utc > datetime.now(UTC) + RENEW


def _make(found: Certificates) -> None:
    # cryptography takes a while to import, and only a served lab needs it.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    start = datetime.now(UTC) - timedelta(minutes=5)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Farshore lab authority")])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    ca = (
        x509.CertificateBuilder()
        .subject_name(authority)
        .issuer_name(authority)
        .public_key(authority_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(authority)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    found.key.touch(mode=0o600)
    found.key.chmod(0o600)
    found.key.write_bytes(secret)
    found.certificate.write_bytes(certificate.public_bytes(pem))
    found.ca.write_bytes(ca.public_bytes(pem))
