"""The gRPC fronts that every wire test of gRPC is to pass; a front is added here and nowhere else."""

from __future__ import annotations

FRONTS = ("thin", "grpcio")
# Those that are attacked in every run: grpc.aio is grpc's to harden, and what it lacks stands in docs/operations.md.
# A front that is added here has to bear all of it.
ATTACKED = ("thin",)


def settings_of(front: str) -> dict[str, str]:
    """What a service is told to take a front, "" its default one."""
    return {"grpc_front": front} if front else {}
