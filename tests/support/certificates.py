"""A self-signed certificate, made anew for each test: no key is ever committed, and no tool is needed.

Elliptic curve P-256 by the book (FIPS 186-5, SEC 1), slow and open to timing attacks: for tests alone.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

_Point = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its private key, as PEM."""

    certificate: bytes
    private_key: bytes

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write `certificate.pem` and `private-key.pem` (0600) and return their paths."""
        certificate, private_key = folder / "certificate.pem", folder / "private-key.pem"
        certificate.write_bytes(self.certificate)
        private_key.touch(mode=0o600)
        private_key.write_bytes(self.private_key)
        return certificate, private_key


def self_signed(*names: str) -> Certificate:
    """A certificate for DNS names and IP addresses, valid for a day, that is its own authority."""
    secret = secrets.randbelow(_N - 1) + 1
    point = _multiply(secret, _G)
    assert point is not None
    public = b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")
    body = _certificate_body(names, public)
    signature = _sign(secret, body)
    certificate = _sequence(body, _sequence(_ECDSA_WITH_SHA256), _bits(signature))
    private_key = _sequence(
        _integer(1), _tlv(0x04, secret.to_bytes(32, "big")), _tlv(0xA0, _P256), _tlv(0xA1, _bits(public))
    )
    return Certificate(_pem("CERTIFICATE", certificate), _pem("EC PRIVATE KEY", private_key))


def _add(a: _Point, b: _Point) -> _Point:
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % _P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, _P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, _P)
    x = (slope * slope - a[0] - b[0]) % _P
    return x, (slope * (a[0] - x) - a[1]) % _P


def _multiply(factor: int, point: _Point) -> _Point:
    result: _Point = None
    while factor:
        if factor & 1:
            result = _add(result, point)
        point, factor = _add(point, point), factor >> 1
    return result


def _sign(secret: int, message: bytes) -> bytes:
    nonce = secrets.randbelow(_N - 1) + 1
    point = _multiply(nonce, _G)
    assert point is not None
    r = point[0] % _N
    s = pow(nonce, -1, _N) * (int.from_bytes(sha256(message).digest(), "big") + r * secret) % _N
    return _sequence(_integer(r), _integer(s))


def _tlv(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:  # the short form
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def _sequence(*parts: bytes) -> bytes:
    return _tlv(0x30, b"".join(parts))


def _integer(value: int) -> bytes:
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _bits(content: bytes) -> bytes:
    return _tlv(0x03, b"\x00" + content)


def _pem(label: str, der: bytes) -> bytes:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n".encode()


_P256 = bytes.fromhex("06082a8648ce3d030107")
_EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")
_ECDSA_WITH_SHA256 = bytes.fromhex("06082a8648ce3d040302")
_COMMON_NAME = bytes.fromhex("0603550403")
_SUBJECT_ALT_NAME = bytes.fromhex("0603551d11")
_BASIC_CONSTRAINTS = bytes.fromhex("0603551d13")
_TRUE = bytes.fromhex("0101ff")


def _certificate_body(names: tuple[str, ...], public: bytes) -> bytes:
    name = _sequence(_tlv(0x31, _sequence(_COMMON_NAME, _tlv(0x0C, names[0].encode()))))
    now = datetime.now(UTC)
    validity = [
        _tlv(0x18, time.strftime("%Y%m%d%H%M%SZ").encode())
        for time in (now - timedelta(hours=1), now + timedelta(days=1))
    ]
    extensions = _sequence(
        _sequence(_SUBJECT_ALT_NAME, _tlv(0x04, _sequence(*map(_general_name, names)))),
        _sequence(_BASIC_CONSTRAINTS, _TRUE, _tlv(0x04, _sequence(_TRUE))),
    )
    return _sequence(
        _tlv(0xA0, _integer(2)),
        _integer(secrets.randbits(120)),
        _sequence(_ECDSA_WITH_SHA256),
        name,
        _sequence(*validity),
        name,
        _sequence(_sequence(_EC_PUBLIC_KEY, _P256), _bits(public)),
        _tlv(0xA3, extensions),
    )


def _general_name(name: str) -> bytes:
    try:
        return _tlv(0x87, ip_address(name).packed)
    except ValueError:
        return _tlv(0x82, name.encode())
