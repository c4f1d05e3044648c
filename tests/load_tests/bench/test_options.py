import pytest

from load_tests.bench.options import PARTS, UnusableOption, read_options


def test_without_arguments_everything_is_measured_once() -> None:
    """One variant, every part, medians of three."""
    options = read_options([])
    assert (options.parts, options.repeats, options.variants) == (PARTS, 3, {"ours": {}})


def test_quick_is_one_second_once() -> None:
    """--quick wins over lengths that are given."""
    options = read_options(["--quick", "--seconds", "9", "--repeats", "9"])
    assert (options.seconds, options.repeats) == (1.0, 1)


def test_settings_reach_every_variant() -> None:
    """--server is for all, --compare makes one variant of each value."""
    options = read_options(["--server", "log_level=ERROR", "--compare", "max_batch_graphs=8,64"])
    assert options.variants == {
        "max_batch_graphs=8": {"log_level": "ERROR", "max_batch_graphs": "8"},
        "max_batch_graphs=64": {"log_level": "ERROR", "max_batch_graphs": "64"},
    }


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--parts", "limit,nothing"], "no part nothing: there are limit, predictor"),
        (["--server", "colour=red"], "neither predictor nor transformer has a setting 'colour'"),
        (["--server", "log_level"], "log_level: expected NAME=VALUE"),
        (["--compare", "log_level=INFO"], "give two or more different values"),
        (["--compare", "log_level=INFO,INFO"], "give two or more different values"),
        (["--in_flight", "1,x"], "--in_flight 1,x: expected whole numbers"),
        (["--graphs", "0"], "--graphs 0: expected numbers from 1"),
        (["--graphs", "2048"], "--graphs 2048: at most 512"),
        (["--seconds", "0"], "--seconds and --repeats: expected more than nothing"),
    ],
)
def test_what_cannot_be_followed_is_refused(arguments: list[str], complaint: str) -> None:
    """An impossible option is one line that names it, before anything is started."""
    with pytest.raises(UnusableOption) as refusal:
        read_options(arguments)
    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)
