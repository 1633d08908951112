"""Labels of apps, in the grammar of Kubernetes.

Source of the rules: the Kubernetes documentation, "Labels and Selectors", section "Syntax and character
set", and `k8s.io/apimachinery/pkg/util/validation`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import AppId
from doorward_server.domain.quoting import quoted

Labels = Mapping[str, str]
"""Keys and values that have been validated."""

MAX_LABELS = 64
"""How many labels an app may have, the platform's own not counted."""

_NAME_LENGTH = 63
_PREFIX_LENGTH = 253
_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_DNS_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_PREFIX = re.compile(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*")


def check_key(key: str) -> None:
    """Raise `InvalidValueError` unless *key* is `[prefix/]name`."""
    prefix, slash, name = key.rpartition("/")
    if slash and not (len(prefix) <= _PREFIX_LENGTH and _PREFIX.fullmatch(prefix)):
        raise InvalidValueError(
            f"key {quoted(key)}: the prefix must be a lower-case DNS subdomain of at most {_PREFIX_LENGTH}"
            " characters"
        )
    if not (len(name) <= _NAME_LENGTH and _NAME.fullmatch(name)):
        raise InvalidValueError(
            f"key {quoted(key)}: the name must have 1 to {_NAME_LENGTH} letters, digits, '-', '_' or '.',"
            " and begin and end with a letter or digit"
        )


def check_value(key: str, value: str) -> None:
    """Raise `InvalidValueError` unless *value* is a label's value; *key* is for the text alone."""
    if value and not (len(value) <= _NAME_LENGTH and _NAME.fullmatch(value)):
        raise InvalidValueError(
            f"value {quoted(value)} of key {quoted(key)}: must be empty, or have at most {_NAME_LENGTH}"
            " letters, digits, '-', '_' or '.', and begin and end with a letter or digit"
        )


def parse_labels(labels: Mapping[str, str], *, reserved_prefix: str | None = None) -> Labels:
    """Validate the labels that a caller gives to an app; raises `InvalidValueError`.

    Keys under *reserved_prefix* are not counted: `with_platform_labels` drops them.
    """
    count = len(labels)
    if reserved_prefix is not None:
        count -= sum(key.startswith(reserved_prefix) for key in labels)
    if count > MAX_LABELS:
        raise InvalidValueError(f"must have at most {MAX_LABELS} labels, has {count}")
    for key, value in labels.items():
        check_key(key)
        check_value(key, value)
    return MappingProxyType(dict(labels))


def with_platform_labels(labels: Labels, *, reserved_prefix: str, app_id: AppId) -> Labels:
    """Drop what a caller gave under the reserved prefix, and set the platform's own labels.

    The reserved prefix ends in a slash, such as `ovh/`. A caller's labels under it are overridden, not
    rejected, so that an app can be created from another app's labels as they were answered.
    """
    own = {key: value for key, value in labels.items() if not key.startswith(reserved_prefix)}
    own[f"{reserved_prefix}id"] = app_id
    own[f"{reserved_prefix}type"] = "app"
    return MappingProxyType(own)
