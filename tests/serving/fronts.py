"""The gRPC fronts that every wire test of gRPC is to pass; a front is added here and nowhere else."""

from __future__ import annotations

FRONTS = ("thin", "grpcio")


def settings_of(front: str) -> dict[str, str]:
    """What a service is told to take a front, "" its default one."""
    return {"grpc_front": front} if front else {}
