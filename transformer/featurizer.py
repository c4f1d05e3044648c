"""The featurizer as the models of this process use it: bounded, off the event loop, counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import numpy as np

from contract.errors import InvalidTensors
from contract.tensors import ANSWERS, DOMAIN, STATUS_OK
from serving.metrics import FeatureMetrics
from transformer.featurize import Featurized, featurize
from transformer.graph_store import GraphStore, Snapshot

# Up to here, milliseconds, a thread costs more by its hand-over and the interpreter lock than it gives.
INLINE_DOMAINS: Final = 256


class Featurizer:
    """Reads the inputs of a request against the newest snapshot of one store."""

    def __init__(
        self,
        store: GraphStore,
        max_domains: int,
        metrics: FeatureMetrics,
        *,
        private_addresses: bool = False,
    ) -> None:
        self.store = store
        self._max_domains = max_domains
        self._metrics = metrics
        self._private_addresses = private_addresses
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="features")
        metrics.snapshot_age_seconds.set_function(lambda: store.snapshot.age_seconds)
        metrics.snapshot_nodes.set_function(lambda: store.snapshot.node_count)
        metrics.snapshot_edges.set_function(lambda: store.snapshot.edge_count)

    def read(self, inputs: Mapping[str, np.ndarray]) -> tuple[list[bytes], list[bytes] | None]:
        """The names of a request, and their answers if it has any.

        Raises:
            InvalidTensors: too many names, or not one entry of answers per name.
        """
        domains, answers = inputs[DOMAIN.name], inputs.get(ANSWERS.name)
        self._check(domains, answers)
        return domains.tolist(), None if answers is None else answers.tolist()

    async def featurize(
        self,
        names: list[bytes],
        listed: list[bytes] | None,
        snapshot: Snapshot,
        *,
        labelled: bool = False,
    ) -> Featurized:
        """The ego-graphs of names in one snapshot, also when a newer one is swapped in meanwhile."""
        started = time.perf_counter()
        work = partial(
            featurize,
            snapshot,
            names,
            listed,
            labelled=labelled,
            private_addresses=self._private_addresses,
        )
        if len(names) <= INLINE_DOMAINS:
            featurized = work()
        else:
            featurized = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        self._metrics.feature_seconds.observe(time.perf_counter() - started)
        self._count(featurized)
        return featurized

    def _check(self, domains: np.ndarray, answers: np.ndarray | None) -> None:
        if len(domains) > self._max_domains:
            raise InvalidTensors(
                f"{DOMAIN.name}: expected at most {self._max_domains} names a request, got {len(domains)}"
            )
        if answers is not None and len(answers) != len(domains):
            raise InvalidTensors(
                f"{ANSWERS.name}: expected one entry for each of {len(domains)} names, got {len(answers)}"
            )

    def _count(self, featurized: Featurized) -> None:
        ok = sum(status == STATUS_OK for status in featurized.statuses)
        scored = len(featurized.rows)
        self._metrics.domains.labels("scored").inc(ok)
        self._metrics.domains.labels("answers_ignored").inc(scored - ok)
        self._metrics.domains.labels("not_a_name").inc(len(featurized.statuses) - scored)

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False)
