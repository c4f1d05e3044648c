import pytest
import torch
from threadpoolctl import threadpool_info

from training.evaluation.threads import one_thread


def fails_within() -> None:
    with one_thread():
        assert torch.get_num_threads() == 1
        assert {library["num_threads"] for library in threadpool_info()} == {1}
        raise RuntimeError


def test_one_thread_for_the_length_of_a_block() -> None:
    """Every library computes on one thread within it, and on as many as before behind it, also after an error."""
    threads, libraries = torch.get_num_threads(), threadpool_info()
    with pytest.raises(RuntimeError):
        fails_within()
    assert (torch.get_num_threads(), threadpool_info()) == (threads, libraries)
