"""`doorward apps open`."""

import webbrowser
from urllib.parse import urlsplit

import click

import doorward
from doorward._errors import one_line
from doorward.cli._examples import examples
from doorward.cli._exit_codes import FAILED
from doorward.cli._fields import state
from doorward.cli._ids import app_argument
from doorward.cli._report import fail, note, warn
from doorward.cli._session import Session, connection_options, pass_session, token_option


@click.command(
    name="open",
    epilog=examples('doorward apps open "$APP"', 'doorward apps open "$APP" --print'),
)
@app_argument
@click.option("--print", "only_print", is_flag=True, help="Print the address, and open nothing.")
@token_option
@connection_options
@pass_session
def open_(session: Session, *, app_id: str, only_print: bool) -> int | None:
    """Open an app in the browser, which asks for a token there.

    Prints the address where there is no browser.
    """
    with session.client() as client:
        app = client.apps.get(app_id)
    url = app.status.url
    # The address comes from the server: a browser is not to be sent to a file, or made to run a script.
    if urlsplit(url).scheme not in ("http", "https") or not url.isprintable():
        return fail(f"app {app_id} has no address that a browser can open", FAILED)
    if app.status.state not in (doorward.AppState.APP_STATE_RUNNING, doorward.AppState.APP_STATE_SCALING):
        warn(f"app {app_id} is {state(app)}: it answers 503")
    if only_print or not _opened(url):
        click.echo(one_line(url))
    else:
        note(f"opened {url}")
    return None


def _opened(url: str) -> bool:
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False
