"""The tables from figures that were made up."""

from load_tests.bench.bench import name_of
from load_tests.bench.figures import Figures
from load_tests.bench.limit import bare_name
from load_tests.bench.options import read_options
from load_tests.bench.render import Table
from load_tests.bench.served import ALONE, PLAIN
from load_tests.bench.tables import tables


def figures_of(**variants: float) -> Figures:
    """Graphs a second of gRPC with 64 in flight, for each variant."""
    figures = Figures({bare_name(128): [50_000.0], bare_name(512): [40_000.0]})
    for variant, speed in variants.items():
        figures.add(name_of(variant.replace("_", " "), "grpc", 32, 64), speed)
    return figures


def by_title(made: list[Table]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Rows by what they are, by the title of their table."""
    return {table.title: {row[0]: row[1:] for row in table.rows} for table in made}


def test_ours_stands_against_the_limit_and_the_baseline() -> None:
    """Ratios are of the best loads, to the bare model at its best batch."""
    figures = figures_of(ours=25_000.0, plain_KServe=10_000.0)
    ratios = by_title(tables(figures, read_options(["--in_flight", "16,64"])))["Ratios"]
    assert ratios == {
        "gRPC, 32 graphs: best ÷ the bare model's best": ("0.50",),
        "gRPC, 32 graphs: best ÷ plain KServe's best": ("2.50",),
    }


def test_joining_is_measured_by_a_pair_of_its_own() -> None:
    """The ratio is of two loads of the same minute, not of the grid."""
    figures = Figures()
    for variant, speed in (("ours", 9.0), ("ours, joined", 4.0), (ALONE, 2.0)):
        figures.add(name_of(variant, "grpc", 1, 64), speed)
    ratios = by_title(tables(figures, read_options([])))["Ratios"]
    assert ratios["gRPC, 1 graph, 64 in flight: joined ÷ unjoined"] == ("2.00",)


def test_tables_and_rows_without_figures_are_left_out() -> None:
    """What was not measured takes no room, and is not shown as nothing."""
    made = by_title(tables(figures_of(ours=1.0), read_options([])))
    assert set(made) == {
        "The limits, graphs a second on one core",
        "The predictor behind its protocols",
        "Ratios",
    }
    assert made["The predictor behind its protocols"] == {"ours: gRPC, 32 graphs": ("-", "-", "1.00", "-")}


def test_two_settings_are_compared_in_every_figure_that_both_have() -> None:
    """The ratio is of the second value to the first; what one of them lacks is left out."""
    options = read_options(["--compare", "event_loop=asyncio,uvloop"])
    figures = Figures(
        {"event_loop=asyncio/x": [2.0], "event_loop=uvloop/x": [5.0], "event_loop=uvloop/y": [1.0]}
    )
    assert by_title(tables(figures, options))["Compared"] == {"x": ("2.00", "5.00", "2.50")}


def test_the_baseline_is_not_a_variant() -> None:
    """A comparison of settings shows the baseline in the grid, not among the compared."""
    options = read_options(["--compare", "event_loop=asyncio,uvloop"])
    made = by_title(tables(figures_of(plain_KServe=3.0), options))
    assert f"{PLAIN}: gRPC, 32 graphs" in made["The predictor behind its protocols"]
    assert "Compared" not in made
