"""The gRPC fronts that every wire test of gRPC is to pass; a front is added here and nowhere else."""

from __future__ import annotations

FRONTS = ("grpcio",)


def settings_of(front: str) -> dict[str, str]:
    """What a service is told to take a front, "" its default one."""
    # There is one front yet, and no setting.
    return {} if len(FRONTS) == 1 or not front else {"grpc_front": front}
