"""Apps as api answers them."""

from datetime import UTC, datetime, timedelta

from doorward.v1.app_pb2 import (
    APP_STATE_QUEUED,
    APP_STATE_RUNNING,
    App,
    AppSpec,
    AppState,
    AppStateChange,
    AppStatus,
    ProcessSource,
)

APP_ID = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"
PATH = f"/apps/{APP_ID}"
URL = f"http://{APP_ID}.app.gra.localhost:8080"
NOW = datetime.now(UTC).replace(microsecond=0)


def an_app(
    *,
    name: str = "Churn <model>",
    state: AppState.ValueType = APP_STATE_RUNNING,
    labels: dict[str, str] | None = None,
    spec: AppSpec | None = None,
    message: str = "",
) -> App:
    """An app that was made three hours ago."""
    own = {"group": "A"} if labels is None else labels
    app = App(
        app_id=APP_ID,
        display_name=name,
        region="GRA",
        labels={**own, "ovh/id": APP_ID, "ovh/type": "app"},
        spec=AppSpec(process=ProcessSource(command=["python3", "app.py"], env={"KEY": ""}))
        if spec is None
        else spec,
        status=AppStatus(state=state, url=URL, message=message),
        etag="etag-1",
    )
    app.create_time.FromDatetime(NOW - timedelta(hours=3))
    app.update_time.FromDatetime(NOW - timedelta(hours=1))
    for each, age in ((APP_STATE_QUEUED, 180), (state, 60)):
        entry = AppStateChange(state=each, message=f"why <{each}>")
        entry.time.FromDatetime(NOW - timedelta(minutes=age))
        app.status.history.append(entry)
    return app
