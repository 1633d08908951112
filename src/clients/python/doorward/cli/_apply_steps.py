"""Doing what a plan says."""

from collections.abc import Sequence

import doorward
from doorward.cli._apply_plan import Step
from doorward.cli._many import Each
from doorward.cli._output import warn_of_gap
from doorward.cli._report import note
from doorward.cli._wait import Waiting

_AT_REST = (doorward.AppState.APP_STATE_STOPPING, doorward.AppState.APP_STATE_STOPPED)


def take(
    steps: Sequence[Step], client: doorward.Client, each: Each, *, waiting: Waiting | None
) -> dict[str, doorward.App]:
    """Take the steps, one after the other, also after one that fails, and return the apps by their documents.

    With *waiting*, all are taken before the first app is waited for; one that is stopped is not waited for.
    """
    by_place = {step.where: step for step in steps}
    done = dict(each.answers(by_place, lambda where: _take(by_place[where], client)))
    if waiting is not None:
        moving = [where for where, app in done.items() if app.status.state not in _AT_REST]
        for where, status in each.answers(moving, lambda where: waiting.until(done[where].app_id)):
            done[where].status.CopyFrom(status)
    return done


def _take(step: Step, client: doorward.Client) -> doorward.App:
    declared = step.declared
    if step.current is None:
        app = client.apps.create(
            declared.display_name, region=declared.region, labels=declared.labels, spec=declared.spec
        )
        note(f"app {app.app_id} created")
        return app
    try:
        answer = client.apps.update(
            step.current.app_id,
            display_name=declared.display_name,
            labels=declared.labels,
            spec=declared.spec,
            update_mask=step.update_mask,
            etag=step.current.etag,
        )
    except doorward.Conflict as error:
        text = "somebody else has changed the app meanwhile: it was left alone"
        raise doorward.Conflict(text, code=error.code, details=error.details) from error
    warn_of_gap(answer.policy_update)
    note(f"app {answer.app.app_id} updated")
    return answer.app
