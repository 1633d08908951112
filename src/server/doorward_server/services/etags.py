"""Etags of resources (AIP-154)."""

import hashlib

from doorward_server.services.errors import EtagMismatchError


def etag_of(resource_id: str, version: int) -> str:
    """The etag of a version of a resource: opaque, and another for each resource and version."""
    return hashlib.blake2b(f"{resource_id}:{version}".encode(), digest_size=8).hexdigest()


def check_etag(given: str, resource_id: str, version: int) -> None:
    """Raise `EtagMismatchError` when an etag was given and is not of this version."""
    if given and given != etag_of(resource_id, version):
        raise EtagMismatchError
