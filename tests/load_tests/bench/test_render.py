from load_tests.bench.render import Table, markdown, number, plain, renewed

TABLE = Table("Speed", ("what", "graphs/s"), (("ours", "20,000"), ("plain KServe", "970")), "One core.")


def test_markdown_is_a_table_under_a_heading() -> None:
    """Figures are to the right, the note stands before them."""
    assert markdown([TABLE]).splitlines() == [
        "### Speed",
        "",
        "One core.",
        "",
        "| what | graphs/s |",
        "| --- | ---: |",
        "| ours | 20,000 |",
        "| plain KServe | 970 |",
    ]


def test_columns_line_up_on_a_terminal() -> None:
    """Every line of a table has the same width."""
    _, header, *rows, note = plain([TABLE]).splitlines()
    assert {len(line) for line in (header, *rows)} == {len("plain KServe  graphs/s")}
    assert note == "One core."


def test_nothing_is_not_zero() -> None:
    """A figure that is missing or no number is a dash."""
    assert [number(value) for value in (None, float("nan"), 0.0)] == ["-", "-", "0.000"]


def test_a_page_keeps_what_stands_around_its_figures() -> None:
    """Only what is between the marks is new; writing the same again changes nothing; no marks, no page to keep."""
    page = "# Title\n\n<!-- figures -->\nold\n<!-- /figures -->\n\n## After\n"
    once = renewed(page, "new")
    assert once == "# Title\n\n<!-- figures -->\nnew\n<!-- /figures -->\n\n## After\n"
    assert renewed(once, "new") == once
    assert renewed("", "new") == "new\n"
