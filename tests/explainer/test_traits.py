from collections import Counter

from contract.feature_schema import LEXICAL_FEATURES
from explainer.traits import TEXTS, TRAIT_OF_FEATURE, TRAIT_OF_TEXT, TRAITS


def test_every_lexical_feature_belongs_to_one_trait() -> None:
    """Taking all traits away takes all of the name away, and no feature twice."""
    assert Counter(feature for trait in TRAITS for feature in trait.features) == Counter(LEXICAL_FEATURES)


def test_the_table_of_features_says_the_same() -> None:
    """The place that is looked up for a column is that of the trait that lists it."""
    assert len(TRAIT_OF_FEATURE) == len(LEXICAL_FEATURES)
    for feature, place in zip(LEXICAL_FEATURES, TRAIT_OF_FEATURE.tolist(), strict=True):
        assert feature in TRAITS[place].features


def test_every_part_of_the_text_belongs_to_one_trait() -> None:
    """Sub-domain, label and suffix each go with one trait, and the table says which."""
    assert Counter(trait.text for trait in TRAITS if trait.text) == Counter(TEXTS)
    assert [TRAITS[place].text for place in TRAIT_OF_TEXT] == list(TEXTS)


def test_a_headline_is_a_feature_of_its_trait() -> None:
    """A trait is spoken of by a number of its own, which says what it measures; without number no measure."""
    with_number = [trait for trait in TRAITS if trait.headline]
    assert with_number
    assert all(trait.headline in trait.features for trait in with_number)
    assert all(bool(trait.measure) == bool(trait.headline) for trait in TRAITS)


def test_traits_have_names_of_their_own() -> None:
    """A trait's name is its key in an answer, so none has two."""
    assert len({trait.name for trait in TRAITS}) == len(TRAITS)
    assert len({trait.measure for trait in TRAITS if trait.measure}) == sum(
        bool(trait.measure) for trait in TRAITS
    )
