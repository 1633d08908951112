"""Everything that is fuzzed, by name."""

from typing import Final

from tests.fuzz.target import Target
from tests.fuzz.targets import cookies, credentials, hosts, paths, programs, requests, selectors, stream

TARGETS: Final[dict[str, Target]] = {
    module.TARGET.name: module.TARGET
    for module in (hosts, cookies, credentials, selectors, paths, requests, programs, stream)
}
