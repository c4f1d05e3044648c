"""The sizes of the model and what its parts read: what a version's configuration says of its weights."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from contract.feature_schema import NODE_FEATURES

# Relations without labelled training data share the weights of their nearest kin: a name server is a
# place where names meet, as an address is; an alias is another name of the same thing, as an apex is.
RELATION_GROUPS: Final = {
    "resolves": "host",
    "resolves_rev": "hosted",
    "nameserver": "host",
    "nameserver_rev": "hosted",
    "alias": "parent",
    "alias_rev": "child",
    "apex": "parent",
    "apex_rev": "child",
    "similar": "similar",
}

# What the evidence path sees of a node beside its type and degrees. Few and plain on purpose: with all
# features, or with encoded names, it learns the few labelled neighbourhoods by heart (docs/training.md).
EVIDENCE_FEATURES: Final = (
    "name_length",
    "label_count",
    "name_entropy_bits",
    "name_hyphens",
    "lure_words",
    "brand_words",
    "suffix_is_abused",
    "suffix_inside",
)

# Whoever owns a name chooses its records, and anybody may point names at another's host: so a neighbourhood
# moves the calibrated log-odds by no more than this. Chosen on validation data, see docs/experiments.md.
EVIDENCE_MAY_ADD: Final = 2.0
EVIDENCE_MAY_TAKE: Final = 1.0


class Architecture(BaseModel):
    """Sizes of the model; part of a version's configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: Annotated[int, Field(ge=1)] = len(NODE_FEATURES)
    ngram_sizes: tuple[int, ...] = (2, 3, 4)
    ngram_buckets: Annotated[int, Field(ge=2)] = 1 << 16
    ngram_width: Annotated[int, Field(ge=1)] = 64
    lexical_width: Annotated[int, Field(ge=1)] = 64
    evidence_features: tuple[str, ...] = EVIDENCE_FEATURES
    evidence_width: Annotated[int, Field(ge=1)] = 32
    evidence_layers: Annotated[int, Field(ge=2, le=4)] = 2
    relation_groups: dict[str, str] = RELATION_GROUPS
    evidence_may_add: Annotated[float, Field(ge=0.0)] = EVIDENCE_MAY_ADD
    """How far, in calibrated log-odds, a neighbourhood may raise what the name alone says."""

    evidence_may_take: Annotated[float, Field(ge=0.0)] = EVIDENCE_MAY_TAKE
    """How far it may lower that."""
