"""`python -m training` in a process that says on stderr with whom it would have spoken, and speaks with nobody."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

SPOKE = "would have spoken with"


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"}:
        sys.stderr.write(f"{SPOKE} {arguments}\n")
        raise OSError("nobody is there")


if __name__ == "__main__":
    for name in [name for name in os.environ if name == "CI" or name.startswith("PYTEST_")]:
        # MLflow keeps quiet where it takes itself to be tested.
        del os.environ[name]
    sys.addaudithook(_refuse)
    from training.__main__ import main

    status = main(sys.argv[1:])
    # Threads that speak beside the command have their turn.
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(timeout=2)
    sys.exit(status)
