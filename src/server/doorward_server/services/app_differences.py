"""What differs between an app and what a caller makes of it."""

from dataclasses import replace

from doorward_server.domain.apps import Access, App, AppSpec, ProcessSource, Source
from doorward_server.domain.errors import Violations
from doorward_server.domain.labels import Labels


def restarts(before: App, after: App) -> bool:
    """Whether what runs of the app is not what it asks for any more."""
    return before.status.state.wanted and (before.spec.source, before.spec.readiness) != (
        after.spec.source,
        after.spec.readiness,
    )


def check_spec(spec: AppSpec) -> None:
    """Raise `InvalidFieldsError` for parts of a spec that contradict each other."""
    found = Violations()
    if spec.access is Access.PUBLIC and spec.operator_paths:
        found.add("app.spec.operator_paths", "must be empty for a PUBLIC app: nobody shows a token there")
    found.raise_if_any()


def with_kept_values(source: Source, before: Source) -> Source:
    """Fill in the values of environment variables that the caller was never shown.

    Answers have the names with empty values; who sends such an answer back means to keep them.
    """
    if not (isinstance(source, ProcessSource) and isinstance(before, ProcessSource)):
        return source
    return replace(
        source, env={name: value or before.env.get(name, "") for name, value in source.env.items()}
    )


def differences(before: App, after: App) -> dict[str, str]:
    """What a caller has changed of an app, for the audit; never a secret."""
    details = {}
    if before.display_name != after.display_name:
        details["display_name"] = after.display_name
    if before.labels != after.labels:
        details["labels"] = labels_text(after.labels)
    if before.spec.access != after.spec.access:
        details["access"] = after.spec.access.name
    if before.spec.operator_paths != after.spec.operator_paths:
        details["operator_paths"] = " ".join(after.spec.operator_paths)
    changed = [
        name
        for name in ("source", "readiness", "cors_preflight")
        if getattr(before.spec, name) != getattr(after.spec, name)
    ]
    if changed:
        # Names alone: a source may hold secrets in its environment and arguments.
        details["spec"] = ", ".join(changed)
    return details


def labels_text(labels: Labels) -> str:
    """Labels as the audit has them."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
