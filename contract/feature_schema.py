"""The one ordered list of node features, node types and relations, and its hash.

Transformer and predictor roll out separately; the hash travels with every request, so that features of
one schema never meet a model of another. Adding, removing or reordering anything here moves the hash.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

# Bump when a feature keeps its name but changes its meaning or scale.
FEATURE_REVISION: Final = 1

NODE_TYPES: Final = ("domain", "ip", "nameserver")
DOMAIN_NODE, IP_NODE, NAMESERVER_NODE = range(len(NODE_TYPES))

# Each relation with its reverse; messages flow along edges from row 0 to row 1 of edge_index.
RELATIONS: Final = (
    "resolves",
    "resolves_rev",
    "nameserver",
    "nameserver_rev",
    "alias",
    "alias_rev",
    "apex",
    "apex_rev",
    "similar",
)
RELATION_IDS: Final = {name: index for index, name in enumerate(RELATIONS)}

# Lexical features: zero on nodes that are not domains. Computed by transformer.lexical, in this order.
LEXICAL_FEATURES: Final[tuple[str, ...]] = (
    "name_length",
    "label_length",
    "subdomain_length",
    "longest_label_length",
    "label_count",
    "subdomain_label_count",
    "is_registrable",
    "starts_with_www",
    "label_is_idn",
    "name_has_idn",
    "name_hyphens",
    "label_hyphens",
    "name_underscores",
    "name_digit_share",
    "label_digit_share",
    "label_starts_with_digit",
    "label_ends_with_digit",
    "label_digit_letter_switches",
    "label_vowel_share",
    "label_consonant_share",
    "label_hex_share",
    "label_rare_letter_share",
    "label_unique_share",
    "label_repeated_share",
    "label_entropy_bits",
    "label_entropy_evenness",
    "name_entropy_bits",
    "longest_consonant_run",
    "longest_vowel_run",
    "longest_digit_run",
    "longest_repeat_run",
    "bigram_surprisal_mean",
    "bigram_surprisal_max",
    "trigram_surprisal_mean",
    "trigram_surprisal_max",
    "name_trigram_surprisal_mean",
    "word_coverage",
    "longest_word",
    "lure_words",
    "brand_words",
    "brand_is_label",
    "suffix_length",
    "suffix_label_count",
    "suffix_is_private",
    "suffix_is_country",
    "suffix_is_idn",
    "suffix_is_legacy",
    "suffix_is_restricted",
    "suffix_is_unlisted",
    "suffix_is_abused",
    "suffix_inside",
)

# Graph features: log1p of a node's degree in the whole store, one per relation of the list above.
GRAPH_FEATURES: Final = tuple(f"log_degree_{relation}" for relation in RELATIONS)

NODE_FEATURES: Final = LEXICAL_FEATURES + GRAPH_FEATURES

# The longest name on the wire in presentation form (RFC 1035, 3.1: 255 octets with lengths and root).
MAX_NAME_LENGTH: Final = 253


def reverse_of(relation: str) -> str:
    """The relation of the same edge seen from its other end.

    >>> reverse_of("resolves"), reverse_of("apex_rev"), reverse_of("similar")
    ('resolves_rev', 'apex', 'similar')
    """
    if relation == "similar":
        return relation
    return relation.removesuffix("_rev") if relation.endswith("_rev") else f"{relation}_rev"


def schema_hash() -> str:
    """The first 16 hex digits of SHA-256 over everything that gives a feature column its meaning."""
    content = [FEATURE_REVISION, NODE_TYPES, RELATIONS, NODE_FEATURES]
    canonical = json.dumps(content, separators=(",", ":")).encode()
    return hashlib.sha256(canonical).hexdigest()[:16]


FEATURE_SCHEMA: Final = schema_hash()
