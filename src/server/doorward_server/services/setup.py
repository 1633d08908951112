"""The first ADMIN token of a new platform."""

import os
from pathlib import Path

from doorward_server.domain.credentials import Secret, mint_token_id
from doorward_server.domain.roles import Role
from doorward_server.domain.tokens import Token
from doorward_server.services.clock import Clock
from doorward_server.services.minting import Mint
from doorward_server.services.ports import AuditEvent, Storage

_NAME = "first admin"


class AdminTokenFileError(Exception):
    """The file for the first ADMIN token cannot be written."""


async def ensure_admin_token(*, storage: Storage, mint: Mint, clock: Clock, path: Path) -> Secret | None:
    """Mint an ADMIN token when no live one exists, and write it to a new file that only its owner can read.

    Answers the secret, or None when there is an ADMIN token already. The file is complete before the token
    works, so no crash leaves a platform that nobody can enter. Raises `AdminTokenFileError`, among others
    when the file exists: nothing is overwritten.
    """
    async with storage.write() as work:
        now = clock()
        if await work.tokens.live_admins(now):
            return None
        token_id = mint_token_id()
        secret, generation = await mint.issue(token_id, number=1)
        token = Token(
            token_id=token_id,
            display_name=_NAME,
            role=Role.ADMIN,
            region=None,
            selector=None,
            generations=(generation,),
            expire_time=None,
            create_time=now,
            update_time=now,
        )
        await work.tokens.add(token)
        revision = await work.policy.token_changed(token_id)
        await work.audit.add(
            AuditEvent(
                time=now,
                actor=None,
                action="Bootstrap",
                resource_type="token",
                resource_id=token_id,
                request_id="",
                revision=revision,
                details={"display_name": _NAME, "role": Role.ADMIN.name},
            )
        )
        _write_new(path, secret.reveal())
    return secret


def _write_new(path: Path, secret: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise AdminTokenFileError(
            f"{path} exists, yet the database has no live ADMIN token: move the file away and start again"
        ) from None
    except OSError as error:
        raise AdminTokenFileError(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
