"""A target under libFuzzer, by way of atheris."""

import importlib
import random
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

import atheris

from tests.fuzz.target import Target

_PER_INPUT_SECONDS: Final = 20
_MOST_MEMORY_MB: Final = 1024


def run(name: str, *, seconds: int, seed: int, corpus: Path, work: Path, planted: bool) -> NoReturn:
    """Fuzz a target; ends the process, with 0 when nothing was found.

    Begins with the inputs in *corpus* and those that an earlier run found in *work*, where new ones go.
    """
    target = _instrumented(name)
    found, dictionary = work / "inputs", work / "words"
    found.mkdir(parents=True, exist_ok=True)
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words), encoding="ascii")
    options = {
        "max_total_time": seconds,
        "max_len": target.max_length,
        "timeout": _PER_INPUT_SECONDS,
        "rss_limit_mb": _MOST_MEMORY_MB,
        "dict": dictionary,
        "artifact_prefix": f"{work}/",
        "print_final_stats": 1,
        "seed": seed,
    }
    arguments = [f"-{option}={value}" for option, value in options.items()]
    folders = [str(found), *([str(corpus)] if corpus.is_dir() else [])]
    atheris.Setup(
        [sys.argv[0], *arguments, *folders],
        target.planted if planted else target.check,
        **_mutation(target),
    )
    atheris.Fuzz()
    raise AssertionError("libFuzzer ends the process")


def _instrumented(name: str) -> Target:
    # The oracles too: one that looks at each letter leads the fuzzer to what one expression of `re` hides.
    with atheris.instrument_imports(include=["doorward_server", "tests"], enable_loader_override=False):
        module = importlib.import_module("tests.fuzz.targets")
    target: Target = module.TARGETS[name]
    return target


def _mutation(target: Target) -> dict[str, Any]:
    if (mutate := target.mutate) is None:
        return {}

    def mutated(data: bytes, longest: int, seed: int) -> bytes:
        return mutate(data, longest, random.Random(seed), atheris.Mutate)  # noqa: S311 - can be had again

    return {"custom_mutator": mutated}


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)
