"""What a shell completes: ids of apps and tokens, and regions, asked of the api.

Whoever presses Tab is waiting: one short call, and nothing at all when it fails.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import TypeAlias

import click
from click.shell_completion import CompletionItem

import doorward
from doorward._errors import one_line
from doorward.cli._session import Session

_DEADLINE = timedelta(seconds=1)
_MOST = 200
"""How many apps or tokens are looked at: the newest."""

Completions: TypeAlias = list[CompletionItem[str]]


def complete_apps(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Completions:
    """Complete the id of an app, or the beginning of its name to its id."""
    found = _ask(ctx, lambda client: ((app.app_id, app.display_name) for app in _apps(client)))
    return _by_id_or_name(found, incomplete, kind="apps/")


def complete_tokens(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Completions:
    """Complete the id of a token, or the beginning of its name to its id."""
    found = _ask(ctx, lambda client: ((token.token_id, token.display_name) for token in _tokens(client)))
    return _by_id_or_name(found, incomplete, kind="tokens/")


def complete_regions(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Completions:
    """Complete a region: one that has an app, for the api has no list of them."""
    found = _ask(ctx, lambda client: ((app.region, "") for app in _apps(client)))
    return [
        CompletionItem(region)
        for region in sorted({region for region, _ in found if region})
        if region.lower().startswith(incomplete.lower())
    ]


def _apps(client: doorward.Client) -> Iterable[doorward.App]:
    return islice(client.apps.list(page_size=_MOST), _MOST)


def _tokens(client: doorward.Client) -> Iterable[doorward.Token]:
    return islice(client.tokens.list(page_size=_MOST), _MOST)


def _ask(
    ctx: click.Context, question: Callable[[doorward.Client], Iterable[tuple[str, str]]]
) -> list[tuple[str, str]]:
    session = ctx.ensure_object(Session)
    session.timeout = _DEADLINE
    # Whatever is wrong, and an error in the middle of a command line that is being typed helps nobody.
    with suppress(Exception), session.client() as client:
        return list(question(client))
    return []


def _by_id_or_name(found: list[tuple[str, str]], incomplete: str, *, kind: str) -> Completions:
    prefix = kind if incomplete.startswith(kind) else ""
    typed = incomplete.removeprefix(kind)
    matching = [pair for pair in found if pair[0].startswith(typed)] or [
        pair for pair in found if pair[1].lower().startswith(typed.lower())
    ]
    return [CompletionItem(one_line(prefix + id_), help=one_line(name)) for id_, name in matching]
