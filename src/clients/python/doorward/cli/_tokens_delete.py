"""`doorward tokens delete`."""

from datetime import timedelta

import click

from doorward.cli._bulk import delete_each, delete_options, make_sure, make_sure_of_selection
from doorward.cli._examples import examples
from doorward.cli._fields import TOKEN_COLUMNS
from doorward.cli._ids import tokens_argument
from doorward.cli._many import is_one, resolve
from doorward.cli._output import print_done, warn_of_gap
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
    ids = resolve(token_ids, TOKEN_ID)
    if ids:
        make_sure(ids, token_ids, "token", yes=yes, expect=expect)
    with session.client() as client:
        if is_one(token_ids) and session.output in ("table", "json", "yaml"):
            answer = client.tokens.delete(token_ids[0])
            warn_of_gap(answer.policy_update)
            print_done(answer, f"token {token_ids[0]} deleted", session.output)
            return None
        etags: dict[str, str] = {}
        if wanted:
            ours = client.whoami().token_id
            selected = list(wanted.of(client))
            found = [token for token in selected if token.token_id != ours]
            if len(found) < len(selected):
                note(f"the token in use, {ours}, stays")
            make_sure_of_selection(found, TOKEN_COLUMNS, "tokens", yes=yes, expect=expect)
            etags = {token.token_id: token.etag for token in found}
        return delete_each(
            ids or list(etags),
            lambda token_id: client.tokens.delete(token_id, etag=etags.get(token_id, "")),
            "token",
            session.output,
        )
