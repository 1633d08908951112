"""Where the processes of one machine find each other."""

from pathlib import Path

from doorward_server.settings import Settings


def all_sockets(settings: Settings) -> tuple[Path, ...]:
    """The sockets of everything that `doorward up` runs."""
    return (
        settings.api_socket.absolute(),
        *check_sockets(settings),
        web_socket(settings),
        envoy_admin_socket(settings),
    )


def check_sockets(settings: Settings) -> tuple[Path, ...]:
    """The sockets of all check processes, in the order of their indexes."""
    return tuple(check_socket(settings, index) for index in range(settings.check_processes))


def check_socket(settings: Settings, index: int) -> Path:
    """The socket of one check process."""
    return settings.run.absolute() / f"check-{index}.sock"


def web_socket(settings: Settings) -> Path:
    """The socket of the web process."""
    return settings.run.absolute() / "web.sock"


def envoy_admin_socket(settings: Settings) -> Path:
    """Envoy's admin interface, in a folder that only its owner enters."""
    return settings.run.absolute() / "envoy-admin.sock"
