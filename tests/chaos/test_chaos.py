from __future__ import annotations

import pytest

from tests.chaos.__main__ import inject_all
from tests.chaos.faults import FAULTS


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_fault_breaks_a_promise() -> None:
    """Under load on both protocols: no wrong score, nobody hung, nothing lost on a graceful stop."""
    faults = [fault for fault in FAULTS if fault.short]
    reports = inject_all(faults, times=1)
    assert {one.fault for one in reports} == {fault.name for fault in faults}
    assert [f"{one.fault}: {one.broken}" for one in reports if one.broken] == []
