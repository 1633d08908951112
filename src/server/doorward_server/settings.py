"""What can be set, and where it comes from."""

import ipaddress
import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SourceError

from doorward._exceptions import ConfigurationError
from doorward._target import parse_target
from doorward_server.domain.hosts import split_app_host

CONFIG_VARIABLE = "DOORWARD_CONFIG"
"""The environment variable that names a TOML file of settings."""

_REGION_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?")
_DNS_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,200}}\Z){_DNS_LABEL}(?:\.{_DNS_LABEL})*")
_RESERVED_PREFIX = re.compile(rf"(?=.{{1,254}}\Z){_DNS_LABEL}(?:\.{_DNS_LABEL})*/")


class SettingsError(Exception):
    """A setting has a value that it cannot have; the text names each setting and the rule."""


class Settings(BaseSettings):
    """Every setting. In the environment a setting is called `DOORWARD_` and its name in capitals.

    The environment wins over the TOML file that `DOORWARD_CONFIG` names, which wins over the defaults. Paths
    that are relative are relative to the working directory.
    """

    model_config = SettingsConfigDict(
        env_prefix="DOORWARD_", extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    home: Path = Field(Path(".doorward"), description="Folder of everything that Doorward keeps.")

    # Addresses
    listen_address: str = Field("127.0.0.1", description="IP address that Envoy listens on.")
    envoy_port: int = Field(
        8080,
        ge=0,
        le=65535,
        description="Port of Envoy: apps, REST, gRPC-Web. With 0, `up` takes a free one.",
    )
    api_listen_address: str = Field(
        "127.0.0.1",
        description="IP address that api's own gRPC listens on. One that other machines reach needs a"
        " certificate.",
    )
    api_port: int = Field(
        8081, ge=0, le=65535, description="Port of api's own gRPC. With 0, `up` takes a free one."
    )
    api_hosts: tuple[str, ...] = Field(
        ("api.localhost", "localhost", "127.0.0.1"),
        description="Host names under which Envoy serves the API. Every other host is an app's or nobody's.",
    )
    console_host: str = Field(
        "console.localhost", description="Host name of the console, which is served where the login is."
    )
    api_cors_origins: tuple[str, ...] = Field(
        (),
        description="Origins, such as https://app.example.com, whose pages may call the API from a browser."
        " JSON in the environment. None by default.",
    )
    regions: dict[str, str] = Field(
        {"GRA": "app.gra.localhost", "BHS": "app.bhs.localhost"},
        description="Regions: name to the domain of its apps. JSON in the environment.",
    )
    public_scheme: Literal["http", "https"] = Field(
        "http", description="Scheme of the apps' URLs; https when TLS ends in front of Envoy."
    )
    public_port: int | None = Field(
        None, ge=1, le=65535, description="Port in the apps' URLs. Not set: Envoy's port."
    )
    run_dir: Path | None = Field(
        None, description="Folder of Unix sockets, kept short for their sake. Not set: `run` in the home."
    )

    # Storage and keys
    database_url: str | None = Field(
        None,
        description="SQLAlchemy URL: sqlite+aiosqlite:///<path> or postgresql+psycopg://user:password@host/name."
        " Not set: the file `doorward.db` in the home.",
        repr=False,
    )
    platform_key_file: Path | None = Field(
        None,
        description="File of the platform key, of mode 0600. Not set: `platform-key` in the home.",
    )

    # api
    api_tls_certificate_file: Path | None = Field(
        None, description="PEM certificate chain of api's gRPC port. Not set, with the key: no TLS."
    )
    api_tls_private_key_file: Path | None = Field(None, description="PEM private key to that certificate.")
    reserved_label_prefix: str = Field(
        "ovh/", description="What label keys of the platform begin with; ends in a slash."
    )
    process_runtime: bool = Field(
        False,
        description="Whether apps may be processes, run as the user of api. `up` sets it.",
    )
    max_message_bytes: int = Field(1 << 20, ge=1 << 12, le=1 << 26, description="Longest request, bytes.")
    argon2_memory_kib: int = Field(19 * 1024, ge=8, description="Argon2id: memory of one hash, KiB.")
    argon2_time_cost: int = Field(2, ge=1, description="Argon2id: passes over the memory.")
    argon2_parallelism: int = Field(1, ge=1, description="Argon2id: lanes.")
    argon2_queue: int = Field(32, ge=0, description="How many secrets may wait to be hashed.")

    # Policy stream
    policy_lease: float = Field(
        30.0,
        ge=0,
        le=3600,
        description="Seconds that a replica may decide without hearing from api; then it denies everything."
        " 0: it goes on for ever, and revoking is not guaranteed to have reached every replica.",
    )
    policy_heartbeat: float = Field(
        5.0, gt=0, le=600, description="Seconds between two messages of a replica; less than half the lease."
    )

    # check
    check_processes: int = Field(1, ge=1, le=64, description="How many check processes `up` runs.")
    check_index: int = Field(
        0,
        ge=0,
        le=63,
        description="This process serves `check-<index>.sock` in the run folder.",
    )
    check_transport: Literal["auto", "native", "grpcio"] = Field(
        "auto",
        description="gRPC server of check: pygrpc-native, grpcio, or what is installed.",
    )
    check_region: str | None = Field(
        None, description="Region whose apps this check process answers for. Not set: every region."
    )
    check_api_target: str | None = Field(
        None, description="gRPC target of api for check. Not set: the Unix socket of api in the run folder."
    )
    check_api_ca_file: Path | None = Field(
        None,
        description="PEM certificates that check trusts to name api. Not set: no TLS towards api, which must"
        " be on this machine then.",
    )
    login_enabled: bool = Field(
        False,
        description="Whether browsers without a token are sent to the login page (303) instead of 401, and"
        " Envoy serves it. `up` sets it.",
    )

    # web
    web_api_target: str | None = Field(
        None, description="gRPC target of api for web. Not set: the Unix socket of api in the run folder."
    )
    web_api_ca_file: Path | None = Field(
        None,
        description="PEM certificates that web trusts to name api. Not set: no TLS towards api,"
        " which must be on this machine then.",
    )

    # Sessions
    session_idle_timeout: float = Field(
        1800.0, ge=1, le=30 * 86400, description="Seconds without a request after which a session ends."
    )
    session_max_age: float = Field(
        43200.0, ge=1, le=30 * 86400, description="Seconds after which a session ends, used or not."
    )
    session_burst: int = Field(
        60, ge=1, le=100_000, description="How many sessions one token may begin at once."
    )
    sessions_per_minute: float = Field(
        30.0, gt=0, le=100_000, description="How many sessions a minute one token may begin after those."
    )

    # Check and Envoy
    edge_cache_lifetime: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Seconds that Envoy may repeat an allow without asking check. Calls that narrow access"
        " take as much longer. 0: check decides on every request.",
    )

    # Envoy
    envoy_api_target: str | None = Field(
        None,
        description="Where Envoy finds api: host:port or unix:/path. Not set: the Unix socket of api in the"
        " run folder.",
    )
    envoy_api_certificate_file: Path | None = Field(
        None,
        description="PEM certificate that api presents to Envoy: that one and no other. Not set: no TLS"
        " towards api, which must be on this machine then.",
    )
    envoy_max_connections: int = Field(
        10_000, ge=1, le=2**29, description="How many clients may be connected to Envoy at once."
    )
    envoy_concurrency: int = Field(0, ge=0, le=256, description="Worker threads of Envoy. 0: one a core.")
    websocket_max_duration: float = Field(
        1200.0,
        gt=0,
        description="Seconds after which a WebSocket is ended, with its token or not. Less than"
        " `session_idle_timeout`: opening the next one keeps the session.",
    )
    stream_idle_timeout: float = Field(
        3600.0, gt=0, description="Seconds without a byte after which a request is ended."
    )

    # Metrics
    metrics_address: str = Field(
        "127.0.0.1",
        description="IP address of the metrics that Prometheus scrapes; whoever reaches it reads them.",
    )
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port of the metrics of api or check. `up` gives it to api, the next ones to its check"
        " processes. With 0 each takes a free one. Not set: no metrics.",
    )

    # Running
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")
    log_format: Literal["text", "json"] = Field("text", description="How log lines look.")
    shutdown_grace: float = Field(
        5.0, ge=0, le=300, description="Seconds that running calls and apps have to end when told to stop."
    )

    @field_validator("listen_address", "api_listen_address", "metrics_address")
    @classmethod
    def _check_listen_address(cls, address: str) -> str:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise ValueError("must be an IP address of this machine, such as 127.0.0.1 or 0.0.0.0") from None
        return address

    @field_validator("envoy_api_target")
    @classmethod
    def _check_envoy_api_target(cls, target: str | None) -> str | None:
        if target is not None:
            try:
                parse_target(target)
            except ConfigurationError as error:
                raise ValueError(str(error)) from None
        return target

    @field_validator("console_host")
    @classmethod
    def _check_console_host(cls, host: str) -> str:
        if not _DOMAIN.fullmatch(host):
            raise ValueError("must be a lower-case host name without a port, such as console.example.com")
        if split_app_host(host) is not None:
            raise ValueError("must not have the form of an app's host")
        return host

    @field_validator("regions")
    @classmethod
    def _check_regions(cls, regions: dict[str, str]) -> dict[str, str]:
        if not regions:
            raise ValueError("must name at least one region")
        for name, domain in regions.items():
            if not _REGION_NAME.fullmatch(name):
                raise ValueError(f"region {name!r}: a name has 1 to 63 letters, digits and '-'")
            if not _DOMAIN.fullmatch(domain):
                raise ValueError(f"region {name!r}: {domain!r} is not a lower-case domain name")
        if len(set(regions.values())) < len(regions):
            raise ValueError("two regions must not share a domain")
        return regions

    @field_validator("reserved_label_prefix")
    @classmethod
    def _check_reserved_prefix(cls, prefix: str) -> str:
        if not _RESERVED_PREFIX.fullmatch(prefix):
            raise ValueError("must be a lower-case DNS subdomain and a slash, such as ovh/")
        return prefix

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.api_tls_certificate_file is None) != (self.api_tls_private_key_file is None):
            raise ValueError("api_tls_certificate_file and api_tls_private_key_file go together")
        if self.console_host in {host.lower() for host in self.api_hosts}:
            raise ValueError("console_host must not be one of api_hosts")
        if self.api_tls_certificate_file is None and not _is_loopback(self.api_listen_address):
            raise ValueError(
                "api_listen_address is one that other machines reach, so api_tls_certificate_file must be"
                " set: without TLS, tokens could be read on the way"
            )
        if self.policy_lease and self.policy_heartbeat > self.policy_lease / 2:
            raise ValueError("policy_heartbeat must be at most half of policy_lease")
        if self.check_region is not None and self.check_region not in self.regions:
            raise ValueError(f"check_region must be one of {', '.join(self.regions)}")
        if self.check_api_ca_file is None and _leaves_this_machine(self.check_api_target):
            raise ValueError(
                "check_api_target is not on this machine, so check_api_ca_file must be set: without TLS, the "
                "key of the policy stream could be read on the way"
            )
        if self.web_api_ca_file is None and _leaves_this_machine(self.web_api_target):
            raise ValueError(
                "web_api_target is not on this machine, so web_api_ca_file must be set: without TLS, tokens"
                " could be read on the way"
            )
        if self.envoy_api_certificate_file is None and _leaves_this_machine(self.envoy_api_target):
            raise ValueError(
                "envoy_api_target is not on this machine, so envoy_api_certificate_file must be set: without"
                " TLS, tokens could be read on the way"
            )
        return self

    @property
    def run(self) -> Path:
        """The folder of Unix sockets."""
        return self.run_dir or self.home / "run"

    @property
    def api_socket(self) -> Path:
        """The Unix socket of api, for check and Envoy on the same machine."""
        return self.run / "api.sock"

    @property
    def key_file(self) -> Path:
        """The file of the platform key."""
        return self.platform_key_file or self.home / "platform-key"

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite+aiosqlite:///{self.home / 'doorward.db'}"

    @property
    def app_port(self) -> int:
        """The port in the apps' URLs."""
        return self.public_port or self.envoy_port

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, environment, file; no `.env` and no folder of secrets."""
        del dotenv_settings, file_secret_settings
        file = os.environ.get(CONFIG_VARIABLE)
        if not file:
            return init_settings, env_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(file))


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def _leaves_this_machine(target: str | None) -> bool:
    """Whether what is sent to a target may be read on the way; so it is assumed of a form that is unknown."""
    try:
        return target is not None and not parse_target(target).local
    except ConfigurationError:
        return True


def load_settings(**given: Any) -> Settings:
    """Read the settings; *given* ones win over all. Raises `SettingsError`."""
    file = os.environ.get(CONFIG_VARIABLE)
    if file and not Path(file).is_file():
        raise SettingsError(f"{CONFIG_VARIABLE}: there is no file {file}")
    try:
        settings = Settings(**given)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: {error}") from None
    except ValidationError as error:
        raise SettingsError("; ".join(_described(error))) from None
    except SourceError as error:
        raise SettingsError(_not_json(error)) from None
    if file:
        _refuse_unknown(file)
    return settings


def _described(error: ValidationError) -> list[str]:
    """Each fault with its setting's name; never the value, which may hold a password."""
    return [
        ": ".join((*(str(part) for part in fault["loc"]), fault["msg"].removeprefix("Value error, ")))
        for fault in error.errors(include_input=False, include_url=False)
    ]


def _not_json(error: SourceError) -> str:
    """The fault of a variable that must be JSON, which is read before any rule is looked at."""
    name = next((each for each in Settings.model_fields if f'"{each}"' in str(error)), "a setting")
    return f"{name}: must be JSON in the environment, as in the reference of settings"


def _refuse_unknown(file: str) -> None:
    """A misspelt name in the file must not be passed over in silence."""
    unknown = sorted(tomllib.loads(Path(file).read_text()).keys() - Settings.model_fields.keys())
    if unknown:
        raise SettingsError(f"{file}: no such setting: {', '.join(unknown)}")
