"""Where the pages of apps are."""

from typing import Final

APPS: Final = "/apps"
