"""The players of an explanation: everything that may be taken away from a domain, in a person's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Float32

from contract.feature_scales import in_units
from contract.feature_schema import LEXICAL_FEATURES, RELATION_IDS, RELATIONS
from contract.name_octets import text_of
from explainer.perturbation import EgoGraph, NameSet
from explainer.traits import TEXTS, TRAITS

Kind = Literal["neighbour", "name"]


@dataclass(frozen=True, slots=True)
class Player:
    """One neighbour, or one trait of the name.

    key       names the player within its explanation
    value     the neighbour's name or address; the part of the name that the trait is about
    place     the link of the ego-graph, or the trait in TRAITS
    """

    key: str
    kind: Kind
    relation: str | None
    value: str
    text: str
    place: int


# relation as seen from the domain -> how its neighbour is called, the relation whose degree says how many
# others it has, and how those are called.
_NEIGHBOURS: Final = {
    "resolves": ("address {}", "resolves_rev", "which {} names resolve to"),
    "nameserver": ("name server {}", "nameserver_rev", "which serves {} names"),
    "alias": ("canonical name {}, which it is an alias of", "", ""),
    "alias_rev": ("{}, an alias of it", "", ""),
    "apex": ("registered domain {}", "apex_rev", "which has {} known sub-domains"),
    "apex_rev": ("sub-domain {}", "", ""),
    "similar": ("look-alike {}", "", ""),
}


def players_of(ego: EgoGraph, labels: Sequence[str], reference: NameSet) -> list[Player]:
    """Every neighbour, then every trait that differs from the reference's; there is always at least one.

    Args:
        ego: the domain's graph.
        labels: what each of its nodes is called.
        reference: the one name whose traits stand in for absent ones.
    """
    traits = [trait for trait in range(len(TRAITS)) if not ego.own.shares(reference, trait)[0]]
    # A name equal to the reference still has to have a player.
    return [*neighbours_of(ego, labels), *traits_of(ego.own, traits or [0])]


def neighbours_of(ego: EgoGraph, labels: Sequence[str]) -> list[Player]:
    """A player for each link of the domain."""
    return [
        _neighbour(link, RELATIONS[relation], labels[node], ego.graph.node_features[node])
        for link, (relation, node) in enumerate(
            zip(ego.link_relations.tolist(), ego.link_nodes.tolist(), strict=True)
        )
    ]


def _neighbour(link: int, relation: str, label: str, features: Float32[np.ndarray, " features"]) -> Player:
    called, counted_by, counted = _NEIGHBOURS[relation]
    text = called.format(label)
    if counted_by:
        degree = round(float(np.expm1(features[len(LEXICAL_FEATURES) + RELATION_IDS[counted_by]])))
        text = f"{text}, {counted.format(degree)}" if degree > 1 else text
    return Player(f"{relation} {label}", "neighbour", relation, label, text, link)


def traits_of(own: NameSet, traits: Sequence[int]) -> list[Player]:
    """A player for each of the given traits of the one name in `own`."""
    features = dict(zip(LEXICAL_FEATURES, own.features[0].tolist(), strict=True))
    counts = {name: in_units(name, value) for name, value in features.items()}
    parts = dict(zip(TEXTS, map(text_of, own.parts[0]), strict=True))
    return [_trait(place, counts, parts) for place in traits]


def _trait(place: int, counts: dict[str, float], parts: dict[str, str]) -> Player:
    trait = TRAITS[place]
    value, text = _WORDS[trait.name](counts, parts)
    return Player(trait.name, "name", None, value, text, place)


def _letters(counts: dict[str, float], parts: dict[str, str]) -> tuple[str, str]:
    # A name that is itself a public suffix has no label.
    label = parts["label"] or parts["suffix"]
    surprise = counts["trigram_surprisal_mean"]
    return label, f'letters of "{label}" ({surprise:.1f} bits of surprise each)'


def _length(counts: dict[str, float], _parts: dict[str, str]) -> tuple[str, str]:
    whole, label = round(counts["name_length"]), round(counts["label_length"])
    return str(whole), f"length of {whole} characters, {label} in the label"


def _digits(counts: dict[str, float], _parts: dict[str, str]) -> tuple[str, str]:
    share = counts["label_digit_share"]
    return f"{share:.2f}", f"digit ratio {share:.2f}" if share else "no digits in the label"


def _hyphens(counts: dict[str, float], _parts: dict[str, str]) -> tuple[str, str]:
    hyphens, underscores = round(counts["name_hyphens"]), round(counts["name_underscores"])
    said = [_counted(hyphens, "hyphen"), _counted(underscores, "underscore")]
    return str(hyphens + underscores), " and ".join(filter(None, said)) or "no hyphens"


def _words(counts: dict[str, float], _parts: dict[str, str]) -> tuple[str, str]:
    share = counts["word_coverage"]
    covered = f"{share:.0%} of the label in dictionary words" if share else "no dictionary words"
    lures, brands = round(counts["lure_words"]), round(counts["brand_words"])
    said = [covered, _counted(lures, "lure word"), _counted(brands, "brand name")]
    return f"{share:.2f}", ", ".join(filter(None, said))


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}" if count else ""


def _idn(counts: dict[str, float], _parts: dict[str, str]) -> tuple[str, str]:
    return ("yes", "internationalised name") if counts["name_has_idn"] else ("no", "not internationalised")


def _subdomain(_counts: dict[str, float], parts: dict[str, str]) -> tuple[str, str]:
    value = parts["subdomain"]
    return value, f'sub-domain "{value}"' if value else "no sub-domain"


def _suffix(counts: dict[str, float], parts: dict[str, str]) -> tuple[str, str]:
    value = parts["suffix"]
    if not value:
        return value, "no listed public suffix"
    return value, f'public suffix ".{value}"' + (", often abused" if counts["suffix_is_abused"] else "")


_WORDS: Final = {
    "letters": _letters,
    "length": _length,
    "digits": _digits,
    "hyphens": _hyphens,
    "words": _words,
    "idn": _idn,
    "subdomain": _subdomain,
    "suffix": _suffix,
}
