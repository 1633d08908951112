"""What the programs print, as one output."""

import asyncio
import json
import os
import threading

from doorward_server.supervisor import Output, supervise
from tests.integration.runtimes.support import DEADLINE, wait_until
from tests.integration.supervisor.family import QUICK, Family, interrupt, supervised


async def test_output(family: Family) -> None:
    """Lines that children print arrive whole, also long ones of many at once, with the name before them."""
    chatty = """
    import json
    for number in range(200):
        os.write(1 + number % 2, (json.dumps([os.environ["NAME"], number, "x" * 5000]) + "\\n").encode())
    """
    async with supervised(family, family.child("api", chatty), family.child("check", chatty)) as task:
        interrupt()
        assert await task == 0
    family.output.close()
    seen: dict[str, list[int]] = {"api": [], "check": []}
    for line in family.lines():
        prefix, _, text = line.partition(" | ")
        name, number, filling = json.loads(text)
        assert (prefix.rstrip(), filling) == (name, "x" * 5000)
        seen[name].append(number)
    assert sorted(seen["api"]) == sorted(seen["check"]) == list(range(200))


async def test_held_terminal(family: Family) -> None:
    """A terminal that takes no output for a while holds up neither the children nor their stop."""
    reading, writing = os.pipe()
    output = Output(writing)
    child = family.child("api", "for _ in range(400): os.write(1, b'x' * 999 + b'\\n')")
    try:
        async with asyncio.timeout(DEADLINE):
            assert await supervise([child], on_ready=interrupt, output=output, timing=QUICK) == 0
    finally:
        os.close(reading)
        output.close()
        os.close(writing)


def test_left_out() -> None:
    """What a held terminal could not take is left out, and how much that was is told when it goes on."""
    reading, writing = os.pipe()
    output = Output(writing)
    # More than a pipe holds: from here on the writer waits.
    output.line("api", b"x" * 1_000_000)
    wait_until(output._lines.empty)
    for number in range(12_000):
        output.line("api", b"%d" % number)
    taken = bytearray()

    def read() -> None:
        while data := os.read(reading, 65536):
            taken.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    # Then the writer is through with what has waited.
    wait_until(output._lines.empty)
    output.say("goes on")
    output.close()
    os.close(writing)
    reader.join(DEADLINE)
    os.close(reading)
    assert taken.decode().splitlines()[1:] == [
        *map(str, range(10_000)),
        "doorward: 2000 lines were left out: nobody took them",
        "doorward: goes on",
    ]
