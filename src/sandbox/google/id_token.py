"""ID tokens: signed like Google's (RS256), with a key of this process, published where Google publishes its own."""

from __future__ import annotations

import base64
import json
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.google.problems import Json


def signed(claims: Json) -> str:
    """A JWT (RFC 7519) of these claims."""
    head = {"alg": "RS256", "kid": "sandbox", "typ": "JWT"}
    text = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims).encode())}"
    return f"{text}.{_encoded(_key().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def keys() -> Json:
    """The JWK set (RFC 7517) that proves them."""
    numbers = _key().public_key().public_numbers()
    key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "sandbox"}
    key |= {"n": _number(numbers.n), "e": _number(numbers.e)}
    return {"keys": [key]}


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _number(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
