"""TLS of api's port."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc


class TlsError(Exception):
    """The certificate or the key cannot be used; the text names the file and says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """A certificate with its key, both in PEM."""

    certificate: Path
    """The server's certificate, followed by those that lead to a root."""
    private_key: Path
    """Not encrypted: nobody is there to type a passphrase."""

    def credentials(self) -> grpc.ServerCredentials:
        """What gRPC serves with; raises `TlsError`."""
        chain, key = _read(self.certificate), _read(self.private_key)
        # gRPC takes any bytes, and then fails each handshake without a word.
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                self.certificate, self.private_key, password=_no_passphrase
            )
        except ssl.SSLError as error:
            raise TlsError(self._fault(error)) from None
        return grpc.ssl_server_credentials([(key, chain)])

    def _fault(self, error: ssl.SSLError) -> str:
        both = f"{self.certificate} and {self.private_key}"
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"{self.private_key} is not the key of the certificate {self.certificate}"
        if error.reason == "PEM_LIB":
            return f"{both}: one of them is not PEM, or the key is encrypted"
        return f"{both} cannot be used: {error.reason or error}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsError(f"cannot read {path}: {error.strerror}") from None


def _no_passphrase() -> str:
    """What is asked for the passphrase of an encrypted key; without it OpenSSL would ask the terminal."""
    return ""
