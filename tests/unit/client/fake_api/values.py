"""Values that the fake api makes up."""

import secrets
import string
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

M = TypeVar("M", bound=Message)

ADMIN_ID = "1B2m9cQk0XyZ"
"""The id of the token that every call seems to come from."""


def now() -> Timestamp:
    """Return the present."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC))
    return stamp


def mint(token_id: str) -> str:
    """Return text with the form of a secret."""
    return f"dw_{token_id}_{''.join(secrets.choice(string.ascii_letters) for _ in range(49))}"


def page(items: Sequence[M], size: int, token: str) -> tuple[Sequence[M], str]:
    """Return one page of a list and the token of the next."""
    start, end = int(token or 0), int(token or 0) + (size or 50)
    return items[start:end], str(end) if end < len(items) else ""


def until_ended(context: grpc.ServicerContext) -> None:
    """Return when a call has ended."""
    ended = threading.Event()
    if context.add_callback(ended.set):
        ended.wait(timeout=30)
