"""Keys of every kind, and tokens made with PyJWT: a peer that knows nothing of Plectrum."""

from __future__ import annotations

import time
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SECRET = "0123456789abcdef" * 4

_PRIVATE: dict[str, Any] = {
    "RSA": rsa.generate_private_key(65537, 2048),
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
}
_KIND = {"ES256": "P-256", "ES384": "P-384", "EdDSA": "Ed25519"}
ALGORITHMS = [f"{kind}{size}" for kind in ("HS", "RS", "PS") for size in (256, 384, 512)] + ["ES256", "ES384", "EdDSA"]


def private(algorithm: str) -> str:
    if algorithm.startswith("HS"):
        return SECRET
    key = _PRIVATE[_KIND.get(algorithm, "RSA")]
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return str(pem.decode())


def public(algorithm: str) -> str:
    if algorithm.startswith("HS"):
        return SECRET
    key = _PRIVATE[_KIND.get(algorithm, "RSA")].public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return str(pem.decode())


def jwk(algorithm: str, **members: Any) -> dict[str, Any]:
    """The public key as a JSON Web Key."""
    key: Any = _PRIVATE[_KIND.get(algorithm, "RSA")].public_key()
    kind: Any = jwt.get_algorithm_by_name(algorithm)
    return {**kind.to_jwk(key, as_dict=True), **members}


def token(
    algorithm: str = "HS256", *, key: str | None = None, headers: dict[str, Any] | None = None, **claims: Any
) -> str:
    claims = {"sub": "7", "exp": int(time.time()) + 60, **claims}
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, private(algorithm) if key is None else key, algorithm, headers=headers)


def bearer(*arguments: Any, **options: Any) -> dict[str, str]:
    return {"authorization": "Bearer " + token(*arguments, **options)}
