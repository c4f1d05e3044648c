"""The model card: what a version is, what it was trained on, how well it does, where it fails."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from explainer.background import GLOBAL_FOLDER
from predictor.checkpoint import ModelConfig
from training.evaluation.headline import table as served_table
from training.evaluation.report import REPORT_HTML, REPORT_JSON, read
from training.explain_check import REPORT_FILE as EXPLAINED_FILE
from training.explain_check import read_figures
from training.explain_check import table as explained_table

CARD_FILE: Final = "README.md"

_TEXT: Final = """\
# dns-risk, model version {version}

Scores a DNS name: calibrated probability of malice, and kind (dga, malware, phishing). One model for names
with and without graph evidence: a lexical path (hashed n-grams and features of the name) and an evidence path
(typed messages over two hops of the passive-DNS graph) that adds to the lexical logits and is silent for a
lone name.

- Feature schema `{schema}`, public suffix list {suffixes}.
- Weights: `model.safetensors` (SHA-256 `{weights}`); every number of the training is in `config.json`.
- Operating points, at false-positive rates of 1 % and 0.1 % on validation names: monitor from
  {monitor:.3f}, block from {block:.3f}.
- Trained by `make train`, evaluated by `make evaluate`.

## Data

| file | SHA-256 |
|---|---|
{data}

Names: maltrail, TweetFeed, polkadot-js/phishing, published DGA lists (malicious); Tranco, CrUX, Umbrella,
OpenDNS and university lists (benign). Graph: minDNS of PDNS-Net (arXiv 2203.07969). None of the data is part
of this repository. Test names are later (malware, phishing), of other families (dga) and under other
registered domains than training names.

## Figures

{figures}

## Explanations

{explanations}

## Limits

- Probabilities are for a mix of half malicious, half benign names. On real traffic malice is far rarer: use
  the operating points, or set your own thresholds.
- No labelled data has name servers, aliases or times. Name servers share the weights of addresses, aliases
  those of registered domains; ages are not features.
- Word-list generators (gozi, suppobox) and small edits of benign names (charbot) are mostly missed by name.
- Host names of content networks (`d13vvqr7dxay1j.cloudfront.net`) say nothing of who is behind them: they are
  fitted as good ones, so a bad one is missed by its name.
- Names under popular hosts are under-represented among the malicious.
- Graph labels are of 2021-22, dominated by a few countries and free suffixes.
"""


_EVALUATED: Final = """\
{table}

{sampled}Served scores: the names went through the running transformer and predictor. 95 % intervals
by bootstrap over registered domains. "Strong rows" leaves out benign rows of weak label quality. By category,
source, month and generator family, robustness, ablation, curves and cost: [{page}]({page})."""


_EXPLAINED: Final = """\
{table}

Measured by `make explain-check` through the running services. Contributions are Shapley values of the score
against that of an ordinary name; all coalitions are scored up to 10 players, more are sampled. Importance and
effects of features over the public test: [global/](global/README.md)."""


def forget_figures(directory: Path) -> None:
    """Remove the figures of the weights that were in a directory before."""
    for name in (REPORT_JSON, REPORT_HTML):
        (directory / name).unlink(missing_ok=True)
    forget_explanations(directory)


def forget_explanations(directory: Path) -> None:
    """Remove what was measured with the background that was in a directory before."""
    (directory / EXPLAINED_FILE).unlink(missing_ok=True)
    shutil.rmtree(directory / GLOBAL_FOLDER, ignore_errors=True)


def write_card(directory: Path, config: ModelConfig) -> None:
    """Write the card of a version beside its weights, with the figures that lie there.

    Raises:
        UnusableReport: there is a report, but not of this format.
    """
    explained = read_figures(directory)
    data = "\n".join(f"| `{name}` | `{digest}` |" for name, digest in config.trained_on.items())
    text = _TEXT.format(
        version=config.version,
        schema=config.feature_schema,
        suffixes=config.suffix_list,
        weights=config.weights_sha256,
        monitor=config.operating_points.monitor,
        block=config.operating_points.block,
        data=data,
        figures=_figures(directory),
        explanations=_EXPLAINED.format(table=explained_table(explained))
        if explained
        else "Not checked yet: run `make explain-check`.",
    )
    (directory / CARD_FILE).write_text(text)


def _figures(directory: Path) -> str:
    if not (directory / REPORT_JSON).exists():
        return "Not evaluated yet: run `make evaluate`."
    report = read(directory)
    sampled = "**From a sample of the rows only.** " if report.sampled else ""
    return _EVALUATED.format(table=served_table(report), sampled=sampled, page=REPORT_HTML)
