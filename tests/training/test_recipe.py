from pathlib import Path

import pytest

from training.data import UnusableData
from training.fit_together import fingerprint
from training.recipe import Recipe, number_of, read_recipe


def test_the_command_line_goes_before_the_file(tmp_path: Path) -> None:
    """A number of the file takes the place of the recipe's own, and one of the command line that of the file."""
    file = tmp_path / "recipe.toml"
    file.write_text("lexical_dropout = 0.2\nngram_keep = 1\n")
    recipe = read_recipe(file, dict([number_of("lexical_dropout=0.3"), number_of("seed=4")]))
    assert (recipe.lexical_dropout, recipe.ngram_keep, recipe.seed) == (0.3, 1.0, 4)
    assert recipe.evidence_dropout == Recipe().evidence_dropout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speed = 3", "'speed' is no number of the recipe"),
        ("seed = 0.5", "seed: expected int, got 0.5"),
        ("seed = true", "seed: expected int, got True"),
        ("seed = ", "expected a TOML file"),
    ],
)
def test_a_wrong_file_is_refused_by_its_name(tmp_path: Path, text: str, message: str) -> None:
    """The refusal says which file, which number, what was expected and what came."""
    file = tmp_path / "recipe.toml"
    file.write_text(text)
    with pytest.raises(UnusableData, match=message) as refusal:
        read_recipe(file, {})
    assert str(refusal.value).startswith(f"{file}: ")


@pytest.mark.parametrize("text", ["seed", "seed=", "seed=many"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """`--set` takes NAME=NUMBER alone."""
    with pytest.raises(UnusableData, match=f"--set {text}: expected NAME=NUMBER"):
        number_of(text)


def test_checkpoints_are_of_one_recipe_and_one_set_of_samples(tmp_path: Path) -> None:
    """A fit of other numbers or other samples does not go on from them."""
    (tmp_path / "samples.npz").write_bytes(b"one")
    first = fingerprint(tmp_path, Recipe())
    assert fingerprint(tmp_path, Recipe()) == first
    assert fingerprint(tmp_path, Recipe(seed=1)) != first
    (tmp_path / "samples.npz").write_bytes(b"other")
    assert fingerprint(tmp_path, Recipe()) != first
