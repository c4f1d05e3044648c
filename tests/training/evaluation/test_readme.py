from pathlib import Path

import pytest

from tests.training.evaluation.made_up import figures, report
from training.__main__ import main
from training.evaluation import report as reports
from training.evaluation.headline import table
from training.evaluation.readme import BEGIN, END, NoPlace, renewed

PAGE = f"# Title\n\n{BEGIN}\nold\n{END}\n\n## After\n"


def version(tmp_path: Path) -> Path:
    """A directory with a report."""
    reports.write(report(), tmp_path)
    return tmp_path


def command(model_dir: Path, readme: Path, *more: str) -> int:
    return main(["figures", "--model_dir", str(model_dir), "--readme", str(readme), *more])


def test_the_table_has_a_line_for_every_headline_and_its_baselines() -> None:
    """With intervals for the model, without for baselines; no accuracy leaves its column empty."""
    lines = table(report()).splitlines()
    assert lines[2] == (
        "| names, strong rows | 0.950 (0.940-0.960) | 0.600 (0.590-0.610) | 0.300 (0.290-0.310) | "
        "0.020 (0.010-0.030) |  | 1,234 |"
    )
    assert lines[3] == "| &nbsp;&nbsp;*n-gram regression* | 0.931 | 0.600 | 0.300 | 0.020 |  | 1,234 |"
    assert [line for line in lines if "graph with evidence" in line and "0.880 (0.870-0.890)" in line]


def test_only_what_stands_between_the_marks_is_new() -> None:
    """The rest of the page stays; renewing twice is renewing once."""
    once = renewed(PAGE, report())
    assert once.startswith(f"# Title\n\n{BEGIN}\n")
    assert once.endswith(f"\n{END}\n\n## After\n")
    assert table(report()) in once
    assert "old" not in once
    assert renewed(once, report()) == once


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("no marks", "<!-- evaluation --> once, found it 0 times"),
        (f"{BEGIN}{BEGIN}{END}", "<!-- evaluation --> once, found it 2 times"),
        (BEGIN, "<!-- /evaluation --> once, found it 0 times"),
        (f"{END}{BEGIN}", "<!-- evaluation --> before <!-- /evaluation -->"),
    ],
)
def test_a_page_without_a_place_is_refused(page: str, message: str) -> None:
    """The refusal says which mark was expected."""
    with pytest.raises(NoPlace, match=message):
        renewed(page, report())


def test_the_command_writes_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    """Figures go into the page; a check passes afterwards and writes nothing."""
    model_dir, readme = version(tmp_path), tmp_path / "page.md"
    readme.write_text(PAGE)
    assert command(model_dir, readme) == 0
    assert readme.read_text() == renewed(PAGE, report())
    assert command(model_dir, readme, "--check") == 0


def test_a_check_of_other_figures_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1 and a line with both names; the page stays as it was."""
    model_dir, readme = version(tmp_path), tmp_path / "page.md"
    readme.write_text(renewed(PAGE, report(figures={"idn": figures(0.5)})))
    before = readme.read_text()
    assert command(model_dir, readme, "--check") == 1
    assert readme.read_text() == before
    assert str(readme) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("missing", "said"), [("report.json", "report.json: No such file"), ("page.md", "page.md")]
)
def test_a_missing_file_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], missing: str, said: str
) -> None:
    """The command names the file and what was expected of it."""
    model_dir, readme = version(tmp_path), tmp_path / "page.md"
    readme.write_text(PAGE)
    (tmp_path / missing).unlink()
    assert command(model_dir, readme) == 1
    message = capsys.readouterr().err
    assert said in message
    assert message.count("\n") == 1
