"""Runs first in every Python process of a platform under test, which has this folder on its path.

Faults that nobody can cause from outside are caused by the modules here that `CHAOS_HOOKS` names. None of
them is part of the product, and none of it knows them.
"""

import importlib
import os

for name in os.environ.get("CHAOS_HOOKS", "").split(","):
    if name:
        importlib.import_module(f"tests.chaos.hooks.{name}")
