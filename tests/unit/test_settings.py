"""Settings: where they come from, what is refused, and that each is documented."""

from pathlib import Path

import pytest

from doorward_server.settings import CONFIG_VARIABLE, Settings, SettingsError, load_settings
from tools import settings_reference


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the settings that they make."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DOORWARD_{name.upper()}", raising=False)
    monkeypatch.delenv(CONFIG_VARIABLE, raising=False)


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting comes from the first of arguments, environment, file and default that has it."""
    file = tmp_path / "doorward.toml"
    file.write_text("envoy_port = 1001\napi_port = 1002\n")
    monkeypatch.setenv(CONFIG_VARIABLE, str(file))
    monkeypatch.setenv("DOORWARD_API_PORT", "1003")
    settings = load_settings(log_level="DEBUG")
    assert (settings.envoy_port, settings.api_port) == (1001, 1003)
    assert (settings.log_level, settings.check_processes) == ("DEBUG", 1)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ENVOY_PORT", "70000", "envoy_port"),
        ("ENVOY_PORT", "http", "envoy_port"),
        ("REGIONS", "{}", "at least one region"),
        ("REGIONS", '{"GRA": "App.Gra"}', "lower-case domain"),
        ("REGIONS", '{"G R": "app.gra"}', "region 'G R'"),
        ("REGIONS", '{"A": "app.gra", "B": "app.gra"}', "share a domain"),
        ("REGIONS", "GRA=app", "regions: must be JSON"),
        ("LISTEN_ADDRESS", "localhost", "listen_address: must be an IP address"),
        ("API_LISTEN_ADDRESS", "localhost", "api_listen_address: must be an IP address"),
        ("API_LISTEN_ADDRESS", "0.0.0.0", "api_tls_certificate_file must be set"),  # noqa: S104 - refused
        ("API_LISTEN_ADDRESS", "::", "api_tls_certificate_file must be set"),
        ("API_LISTEN_ADDRESS", "192.0.2.1", "api_tls_certificate_file must be set"),
        ("METRICS_ADDRESS", "localhost", "metrics_address: must be an IP address"),
        ("METRICS_PORT", "65536", "metrics_port"),
        ("CONSOLE_HOST", "console.localhost:8080", "console_host: .*without a port"),
        ("CONSOLE_HOST", "Console.localhost", "console_host: must be a lower-case host name"),
        ("CONSOLE_HOST", "api.localhost", "console_host must not be one of api_hosts"),
        ("CONSOLE_HOST", "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11.app.gra.localhost", "form of an app's host"),
        ("RESERVED_LABEL_PREFIX", "ovh", "reserved_label_prefix"),
        ("POLICY_HEARTBEAT", "16", "half of policy_lease"),
        ("CHECK_REGION", "SBG", "check_region must be one of"),
        ("API_TLS_CERTIFICATE_FILE", "x.pem", "go together"),
        ("ENVOY_API_TARGET", "api.example:8081", "envoy_api_certificate_file must be set"),
        ("ENVOY_API_TARGET", "http://127.0.0.1:8081", "envoy_api_target: .*expected host:port"),
        ("ENVOY_MAX_CONNECTIONS", "0", "envoy_max_connections"),
        ("CHECK_API_TARGET", "api.example:8081", "check_api_ca_file must be set"),
        ("CHECK_API_TARGET", "10.0.0.5:8081", "check_api_ca_file must be set"),
        ("CHECK_API_TARGET", "dns:///localhost:8081", "check_api_ca_file must be set"),
        ("CHECK_TRANSPORT", "rust", "check_transport"),
        ("PROCESS_RUNTIME", "perhaps", "process_runtime"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_setting(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong value ends the start with one line that names the setting and the rule."""
    monkeypatch.setenv(f"DOORWARD_{name}", value)
    with pytest.raises(SettingsError, match=says) as refused:
        load_settings()
    assert "\n" not in str(refused.value)


def test_a_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an error nor the settings' own text shows the database's password."""
    monkeypatch.setenv("DOORWARD_DATABASE_URL", "postgresql+psycopg://me:hunter2@127.0.0.1/doorward")
    assert "hunter2" not in repr(load_settings())
    monkeypatch.setenv("DOORWARD_POLICY_LEASE", "hunter2")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [("envoyport = 1", "no such setting: envoyport"), ("envoy_port = ", "doorward.toml")],
)
def test_a_file_that_is_not_understood_is_refused(
    content: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt name or a broken file is not passed over."""
    file = tmp_path / "doorward.toml"
    file.write_text(content)
    monkeypatch.setenv(CONFIG_VARIABLE, str(file))
    with pytest.raises(SettingsError, match=says):
        load_settings()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody starts with defaults because of a wrong path."""
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "missing.toml"))
    with pytest.raises(SettingsError, match="there is no file"):
        load_settings()


def test_every_setting_is_documented() -> None:
    """The reference has every setting as it is: run `python -m tools.settings_reference` after a change."""
    assert settings_reference.PAGE.read_text() == settings_reference.render()
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize("target", ["127.0.0.1:8081", "[::1]:8081", "localhost:8081", "unix:/run/api.sock"])
def test_an_api_on_this_machine_needs_no_certificate(target: str) -> None:
    """Nobody else can listen in there."""
    assert load_settings(check_api_target=target).check_api_target == target


def test_an_api_elsewhere_needs_a_certificate() -> None:
    """With one, any target of gRPC's will do."""
    load_settings(check_api_target="dns:///api.example:8081", check_api_ca_file="ca.pem")


def test_api_is_shown_to_others_with_a_certificate_alone() -> None:
    """With one it may listen on every interface; without one, on any address of the loopback network."""
    files = {"api_tls_certificate_file": "cert.pem", "api_tls_private_key_file": "key.pem"}
    everywhere = "0.0.0.0"  # noqa: S104 - with a certificate
    assert load_settings(api_listen_address=everywhere, **files).api_listen_address == everywhere
    assert load_settings(api_listen_address="127.0.0.2").api_listen_address == "127.0.0.2"
