"""A change of the zone that is on its way to a slow disk when the sidecar stops."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from resolver.__main__ import end
from resolver.settings import Settings
from resolver.sidecar import Sidecar


async def test_a_change_under_way_is_finished_before_the_last_one(tmp_path: Path) -> None:
    """Stopped meanwhile, it keeps its serial, and what came after it has the next: in order on disk, and served."""
    sidecar = Sidecar(Settings(mode="block", state_dir=tmp_path))
    # Opening it for writing waits until somebody reads, as a disk may for its turn.
    disk = tmp_path / "rpz.journal"
    os.mkfifo(disk)
    sidecar.zone.put("first.example", 2**40)
    work = asyncio.create_task(sidecar.run())
    while sidecar.zone.changed:
        await asyncio.sleep(0.01)
    sidecar.zone.put("second.example", 2**40)
    ending = asyncio.create_task(end(sidecar, work))
    await asyncio.sleep(0.1)
    assert not ending.done()
    assert sidecar.zone.names == {}
    # Both ends, so that it stays open between the two changes.
    reader = os.open(disk, os.O_RDWR)
    await asyncio.wait_for(ending, 10)
    first, second = (json.loads(line) for line in os.read(reader, 4096).splitlines())
    os.close(reader)
    assert (list(first["added"]), list(second["added"])) == (["first.example"], ["second.example"])
    assert second["before"] == first["serial"]
    assert set(sidecar.zone.names) == {"first.example", "second.example"}
    assert sidecar.zone.serial == second["serial"]
