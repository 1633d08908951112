"""What a table shows of an app, a token, an audit event, a replica."""

from datetime import UTC, datetime, timedelta
from itertools import zip_longest

from google.protobuf.timestamp_pb2 import Timestamp

from doorward._conversions import short_name
from doorward.cli._output import Columns
from doorward.v1.app_pb2 import Access, App, AppState
from doorward.v1.audit_service_pb2 import AuditEvent
from doorward.v1.replica_service_pb2 import ListReplicasResponse, Replica, ReplicaState
from doorward.v1.role_pb2 import Role
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import AccessRule


def duration(length: timedelta) -> str:
    """Return a length of time in its largest fitting unit, as kubectl does: `90s`, `5m`, `47h`, `12d`."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size, least in (("d", 86400, 172_800), ("h", 3600, 7200), ("m", 60, 120)):
        if seconds >= least:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def age(when: Timestamp) -> str:
    """Return how long ago a point in time was."""
    return duration(datetime.now(UTC) - when.ToDatetime(UTC)) if when.seconds else ""


def time(when: Timestamp) -> str:
    """Return a point in time, to the second."""
    return when.ToDatetime(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if when.seconds else ""


def expiry(token: Token) -> str:
    """Return when a token stops to work."""
    if not token.HasField("expire_time"):
        return "never"
    left = token.expire_time.ToDatetime(UTC) - datetime.now(UTC)
    return f"in {duration(left)}" if left > timedelta() else "expired"


def scope(token: Token) -> str:
    """Return which apps a token opens."""
    return token.label_selector if token.HasField("label_selector") else "(all apps)"


def labels(app: App) -> list[str]:
    """Return an app's labels in order."""
    return [f"{key}={value}" for key, value in sorted(app.labels.items())]


def state(app: App) -> str:
    """Return the name of an app's state."""
    return short_name(AppState, "APP_STATE_", app.status.state)


def role(token: Token) -> str:
    """Return the name of a token's role."""
    return short_name(Role, "ROLE_", token.role)


def replica_state(replica: Replica) -> str:
    """Return the name of a replica's state."""
    return short_name(ReplicaState, "REPLICA_STATE_", replica.state)


def lag(replica: Replica) -> str:
    """Return how many revisions a replica lacks, and for how long it has lacked one."""
    if not replica.lag_revisions:
        return "0"
    return f"{replica.lag_revisions} ({duration(replica.lag.ToTimedelta())})"


def lease(replica: Replica) -> str:
    """Return how long a replica may still decide when nothing more is heard of it."""
    if not replica.HasField("lease_remaining"):
        return "no end"
    return duration(replica.lease_remaining.ToTimedelta())


def source(app: App) -> str:
    """Return what an app runs; empty for callers who may not see it."""
    match app.spec.WhichOneof("source"):
        case "external":
            return f"external {app.spec.external.address}"
        case "process":
            return f"process {' '.join(app.spec.process.command)}"
        case _:
            return ""


APP_COLUMNS: Columns[App] = (
    ("ID", lambda app: app.app_id),
    ("NAME", lambda app: app.display_name),
    ("REGION", lambda app: app.region),
    ("STATE", state),
    ("AGE", lambda app: age(app.create_time)),
    ("LABELS", lambda app: ",".join(labels(app))),
)

TOKEN_COLUMNS: Columns[Token] = (
    ("ID", lambda token: token.token_id),
    ("NAME", lambda token: token.display_name),
    ("ROLE", role),
    ("REGION", lambda token: token.region),
    ("SCOPE", scope),
    ("GENERATION", lambda token: str(token.generation)),
    ("EXPIRES", expiry),
    (
        "LAST USED",
        lambda token: f"{age(token.last_used_time)} ago" if token.last_used_time.seconds else "never",
    ),
)

EVENT_COLUMNS: Columns[AuditEvent] = (
    ("TIME", lambda event: time(event.time)),
    ("ACTOR", lambda event: event.actor_token_id or "(platform)"),
    ("ACTION", lambda event: event.action),
    ("RESOURCE", lambda event: f"{event.resource_type}/{event.resource_id}"),
    ("REVISION", lambda event: str(event.policy_revision or "")),
    ("DETAILS", lambda event: " ".join(f"{key}={value}" for key, value in sorted(event.details.items()))),
)

REPLICA_COLUMNS: Columns[Replica] = (
    ("ID", lambda replica: replica.replica_id),
    ("NAME", lambda replica: replica.display_name),
    ("REGION", lambda replica: replica.region or "(every region)"),
    ("STATE", replica_state),
    ("REVISION", lambda replica: str(replica.applied_revision)),
    ("LAG", lag),
    ("LEASE", lease),
    ("CONNECTED", lambda replica: age(replica.connect_time)),
    (
        "LAST HEARD",
        lambda replica: f"{age(replica.last_heard_time)} ago" if replica.last_heard_time.seconds else "never",
    ),
)

RULE_COLUMNS: Columns[AccessRule] = (
    ("RULE", lambda rule: rule.rule),
    ("PASSED", lambda rule: "yes" if rule.passed else "no"),
    ("DETAIL", lambda rule: rule.detail),
)


def app_fields(app: App) -> list[tuple[str, str]]:
    """Return what is shown of one app."""
    status = f"{state(app)}: {app.status.message}" if app.status.message else state(app)
    return [
        ("ID", app.app_id),
        ("NAME", app.display_name),
        ("REGION", app.region),
        ("STATE", status),
        ("URL", app.status.url),
        *zip_longest(("LABELS",), labels(app), fillvalue=""),
        ("ACCESS", short_name(Access, "ACCESS_", app.spec.access)),
        ("SOURCE", source(app)),
        ("OPERATOR PATHS", " ".join(app.spec.operator_paths)),
        ("CREATED", time(app.create_time)),
    ]


def draft_fields(token: Token) -> list[tuple[str, str]]:
    """Return what is shown of a token that has not been made."""
    return [
        ("NAME", token.display_name),
        ("ROLE", role(token)),
        ("REGION", token.region or "(every region)"),
        ("SCOPE", scope(token)),
        ("EXPIRES", time(token.expire_time) or "never"),
    ]


def token_fields(token: Token) -> list[tuple[str, str]]:
    """Return what is shown of one token."""
    grace = token.previous_generation_expire_time
    *scope_of_it, expires = draft_fields(token)
    return [
        ("ID", token.token_id),
        *scope_of_it,
        ("GENERATION", str(token.generation)),
        *([("FORMER SECRET", f"works until {time(grace)}")] if grace.seconds else []),
        expires,
        ("LAST USED", time(token.last_used_time) or "never"),
        ("CREATED", time(token.create_time)),
    ]


def fleet_fields(fleet: ListReplicasResponse) -> list[tuple[str, str]]:
    """Return what is shown of all replicas together."""
    states = [replica_state(replica) for replica in fleet.replicas]
    counts = [f"{states.count(state)} {state.lower()}" for state in dict.fromkeys(sorted(states))]
    allowed = fleet.policy_lease.ToTimedelta()
    return [
        ("REVISION", str(fleet.policy_revision)),
        (
            "LEASE",
            duration(allowed) if allowed else "none: a replica that cannot be reached decides for ever",
        ),
        ("REPLICAS", ", ".join(counts) or "none"),
    ]
