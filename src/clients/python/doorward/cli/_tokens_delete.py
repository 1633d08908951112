"""`doorward tokens delete`."""

from datetime import timedelta

import click

from doorward.cli._bulk import (
    delete_each,
    delete_given,
    delete_options,
    make_sure,
    make_sure_of_selection,
)
from doorward.cli._examples import examples
from doorward.cli._fields import TOKEN_COLUMNS
from doorward.cli._ids import tokens_argument
from doorward.cli._many import resolve
from doorward.cli._params import TOKEN_ID
from doorward.cli._report import note
from doorward.cli._session import Session, pass_session, session_options
from doorward.cli._tokens_filter import TokenFilter, token_filters


@click.command(
    epilog=examples(
        "doorward tokens delete 1B2m9cQk0XyZ",
        "doorward tokens delete --expired",
        "doorward tokens delete --role read-only --region GRA --unused-for 90d --expect 12",
        "doorward tokens list --name ci -o name | doorward tokens delete - --yes",
    )
)
@tokens_argument(required=False)
@token_filters
@delete_options
@session_options("id")
@pass_session
def delete(
    session: Session,
    *,
    token_ids: tuple[str, ...],
    name: str | None,
    role: str | None,
    region: str,
    expired: bool,
    unused_for: timedelta | None,
    yes: bool,
    expect: int | None,
) -> int | None:
    """Delete a token, or several: dead when the command returns.

    Asks first when a person is there to answer. What options select is shown, and its number has to be
    typed; a program gives it with --expect. The token in use is never selected, and one that has changed
    since is left alone.
    """
    wanted = TokenFilter(name=name, role=role, region=region, expired=expired, unused_for=unused_for)
    if bool(token_ids) == bool(wanted):
        raise click.UsageError("give ids, or options that select tokens" + (", not both" if wanted else ""))
    with session.client() as client:
        if token_ids:
            ids = resolve(token_ids, TOKEN_ID)
            make_sure(ids, token_ids, "token", yes=yes, expect=expect)
            return delete_given(ids, token_ids, client.tokens.delete, "token", session.output)
        ours = client.whoami().token_id
        found = {token.token_id: token for token in wanted.of(client)}
        if found.pop(ours, None) is not None:
            note(f"the token in use, {ours}, stays")
        make_sure_of_selection(list(found.values()), TOKEN_COLUMNS, "token", yes=yes, expect=expect)
        return delete_each(
            list(found),
            lambda token_id: client.tokens.delete(token_id, etag=found[token_id].etag),
            "token",
            session.output,
        )
