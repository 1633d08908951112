"""Writes docs/reference/settings.md from the settings themselves: `python -m tools.settings_reference`."""

import json
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from doorward_server.settings import CONFIG_VARIABLE, Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "settings.md"

_HEAD = f"""# Settings

Every process of Doorward reads the same settings: from the environment, from the TOML file that
`{CONFIG_VARIABLE}` names, or from the defaults, the first that has one. In the file a setting has its
lower-case name without `DOORWARD_`. A value that cannot be is refused at the start, with the setting's name
and the rule.

Written by `python -m tools.settings_reference`; a test compares.

| variable | type | default | meaning |
| --- | --- | --- | --- |
"""


def render() -> str:
    """The whole page."""
    return _HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: Any) -> str:
    default = "" if field.default is None else f"`{_default(field.default)}`"
    return f"| `DOORWARD_{name.upper()}` | {_type(field.annotation)} | {default} | {field.description} |\n"


def _default(value: object) -> str:
    return str(value) if isinstance(value, str | Path) else json.dumps(value)


def _type(annotation: Any) -> str:
    arguments = [each for each in get_args(annotation) if each is not NoneType]
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{each}`" for each in arguments)
    if get_origin(annotation) in (dict, tuple):
        return "JSON"
    name = arguments[0].__name__ if arguments else annotation.__name__
    return {"str": "text", "Path": "path", "int": "integer", "float": "number", "bool": "boolean"}[name]


if __name__ == "__main__":
    PAGE.write_text(render())
