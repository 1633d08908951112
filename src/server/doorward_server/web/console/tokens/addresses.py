"""Where the pages of tokens are."""

from typing import Final

TOKENS: Final = "/tokens"
NEW: Final = "/tokens/new"
PREVIEW: Final = "/tokens/preview"
"""For a script of the form, which shows the answer in its place."""
EDIT: Final = "/tokens/{token_id}/edit"
REGENERATE: Final = "/tokens/{token_id}/regenerate"
DELETE: Final = "/tokens/{token_id}/delete"
