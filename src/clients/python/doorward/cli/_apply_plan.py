"""What has to happen so that apps are what documents declare."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import doorward
from doorward.cli._app_files import DeclaredApp
from doorward.cli._declared import declared_lines, reserved_prefix

_GOING = doorward.AppState.APP_STATE_DELETING


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one document asks for."""

    where: str
    declared: doorward.App
    current: doorward.App | None
    """The app that there is; None: it is to be created."""
    removed: Sequence[tuple[str, str]]
    """What is not so any more: the paths and values of fields."""
    added: Sequence[tuple[str, str]]
    """What is so from then on."""
    update_mask: Sequence[str]
    """The fields of an app that there is which are to change."""

    @property
    def action(self) -> str:
        """`create`, `update` or `none`."""
        if self.current is None:
            return "create"
        return "update" if self.update_mask else "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a document cannot be applied."""

    where: str
    reason: str


def plan(
    declared: Sequence[DeclaredApp], client: doorward.Client, *, send_env: bool
) -> tuple[list[Step], list[Refusal]]:
    """Compare documents with the apps that there are. Raises `doorward.DoorwardError`.

    A document is about the app with its `appId`; without one, about the app with its name in its region.
    """
    apps = _Apps(client)
    steps: list[Step] = []
    refusals: list[Refusal] = []
    taken: dict[str, str] = {}
    for each in declared:
        try:
            found = apps.of(each.app)
        except doorward.InvalidArgument as error:  # no such region, no such form of an id
            refusals.append(Refusal(where=each.where, reason=str(error)))
            continue
        if refusal := _refusal(each.app, found, taken):
            refusals.append(Refusal(where=each.where, reason=refusal))
            continue
        current = found[0] if found else None
        taken[_identity(each.app, current)] = each.where
        steps.append(_step(each, current, send_env=send_env))
    return steps, refusals


class _Apps:
    """The apps that there are; those of a region are listed once."""

    def __init__(self, client: doorward.Client) -> None:
        self._client = client
        self._regions: dict[str, dict[str, list[doorward.App]]] = {}

    def of(self, declared: doorward.App) -> Sequence[doorward.App]:
        """Return the apps that a document may be about."""
        if declared.app_id:
            try:
                found = self._client.apps.get(declared.app_id)
            except doorward.NotFound:
                return []
            return [] if found.status.state == _GOING else [found]
        return self._named(declared.region).get(declared.display_name, [])

    def _named(self, region: str) -> dict[str, list[doorward.App]]:
        if region not in self._regions:
            named: defaultdict[str, list[doorward.App]] = defaultdict(list)
            for app in self._client.apps.list(region=region, page_size=1000):
                if app.status.state != _GOING:
                    named[app.display_name].append(app)
            self._regions[region] = named
        return self._regions[region]


def _refusal(declared: doorward.App, found: Sequence[doorward.App], taken: dict[str, str]) -> str:
    """Return why a document cannot be applied; empty when it can."""
    if declared.app_id and not found:
        return f"appId: there is no app {declared.app_id}; without an appId a new one is created"
    if len(found) > 1:
        ids = ", ".join(app.app_id for app in found)
        return (
            f"displayName: {len(found)} apps in {declared.region} have the name {declared.display_name!r}: "
            f"give appId, one of {ids}"
        )
    current = found[0] if found else None
    if current is not None and current.region != declared.region:
        return f"region: the app is in {current.region}, and cannot be moved"
    other = taken.get(_identity(declared, current))
    return f"is about the same app as {other}" if other else ""


def _identity(declared: doorward.App, current: doorward.App | None) -> str:
    return current.app_id if current is not None else f"{declared.region}/{declared.display_name}"


def _step(each: DeclaredApp, current: doorward.App | None, *, send_env: bool) -> Step:
    reserved = reserved_prefix(current) if current is not None else "ovh/"
    after = declared_lines(each.app, reserved=reserved)
    # What a new app has by default goes without saying.
    before = declared_lines(current or doorward.App(), reserved=reserved)
    gone = before if current is not None else {}
    removed = [(path, value) for path, value in gone.items() if after.get(path) != value]
    added = [(path, value) for path, value in after.items() if before.get(path) != value]
    changed = {path for path, _ in (*removed, *added)}
    if send_env and current is not None:
        sent = [(f"spec.process.env.{name}", "(sent anew)") for name in _values(each.app)]
        added += [pair for pair in sent if pair[0] not in changed]
        changed |= {path for path, _ in sent}
    return Step(
        where=each.where,
        declared=each.app,
        current=current,
        removed=removed,
        added=added,
        update_mask=[] if current is None else sorted(set(_mask(changed, each.app))),
    )


def hidden_values(steps: Sequence[Step]) -> Iterator[str]:
    """Yield where documents give values that could not be compared, and are not sent either."""
    for step in steps:
        if (
            step.current is not None
            and "spec.process" not in step.update_mask
            and any(_values(step.declared))
        ):
            yield step.where


def _values(app: doorward.App) -> list[str]:
    """The names of the variables that a document gives a value: an empty one stands for the one there is."""
    return sorted(name for name, value in app.spec.process.env.items() if value)


_FIELDS = {
    "displayName": "display_name",
    "labels": "labels",
    "spec.access": "spec.access",
    "spec.operatorPaths": "spec.operator_paths",
    "spec.readiness": "spec.readiness",
    "spec.corsPreflight": "spec.cors_preflight",
}


def _mask(changed: set[str], declared: doorward.App) -> Iterator[str]:
    """Yield the paths of an update mask for paths that have changed."""
    for path in changed:
        if path.startswith(("spec.external.", "spec.process.")):
            yield f"spec.{declared.spec.WhichOneof('source')}"
        else:
            yield next(field for prefix, field in _FIELDS.items() if path.startswith(prefix))
