"""YAML without what would be lost or repeated unnoticed. Needs PyYAML: import it where a file is read."""

from collections.abc import Hashable, Iterator
from typing import Any

import yaml


class NotYamlError(ValueError):
    """A text that is not YAML, or not YAML as it is taken here. Never shows what is in the text."""


class _Loader(yaml.SafeLoader):
    """Refuses a key that comes twice, of which one would be lost, and aliases, which can grow without end."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            here: Any = self
            mark = here.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem="aliases are not taken", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(problem="the key comes twice", problem_mark=key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def load_all(text: str) -> Iterator[Any]:
    """Yield the documents of *text*. Raises `NotYamlError`, which says where and what is wrong."""
    loader: Any = None
    try:
        loader = _Loader(text)
        while loader.check_data():
            yield loader.get_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise NotYamlError(f"{place}{error.problem or 'not YAML'}") from None
    except yaml.YAMLError:
        raise NotYamlError("has characters that YAML does not allow") from None
    except ValueError:  # of a date or a number that there is not
        raise NotYamlError("has a value with the look of a date or number and is none: quote it") from None
    except RecursionError:
        raise NotYamlError("is nested too deeply") from None
    finally:
        if loader is not None:
            loader.dispose()
