"""Fixed names over the sample store: what their features and scores are."""

import tempfile
from pathlib import Path

from contract.feature_schema import FEATURE_SCHEMA, NODE_FEATURES
from predictor.checkpoint import load
from predictor.scorer import Scorer, choose_device
from transformer.featurize import Featurized, featurize
from transformer.graph_store import GraphStore, SnapshotBuilder, parse_line, publish
from transformer.graph_store.common_output_format import UnusableLine

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SAMPLE = ROOT / "examples" / "passive_dns.jsonl"
MODEL = ROOT / "models" / "dns-risk" / "2"
FILE = HERE / "golden.json"

CASES = [
    ("example.com", ""),
    ("www.wikipedia.org", ""),
    ("_dmarc.example.co.uk.", ""),
    ("MAIL.Example.NET", ""),
    ("bücher.example", ""),
    ("xn--80ak6aa92e.com", ""),
    ("localhost", ""),
    ("co.uk", ""),
    ("alice.github.io", ""),
    ("kq3v9z7xj1m4p8w2.top", ""),
    ("paypal.com.secure-login.verify-account.ml", ""),
    ("amazon-refund-portal.test", "AAAA 3ffe:b00::66, NS ns1.bulletproof.test"),
    ("new-portal.example", "AAAA 3ffe:b00::66, NS ns1.bulletproof.test"),
    ("brand-new-shop.test", "AAAA 3ffe:c00::200, CNAME cdn.example.net"),
    (f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 57}.com", ""),
]


def featurized() -> Featurized:
    """The cases through the featurizer, over a store of the sample."""
    builder = SnapshotBuilder()
    for line in SAMPLE.read_bytes().splitlines():
        try:
            builder.add(parse_line(line))
        except UnusableLine:
            continue
    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder), builder)
        names, answers = zip(*CASES, strict=True)
        return featurize(GraphStore(Path(folder)).snapshot, names, answers)


def found() -> dict[str, object]:
    """Features and scores of the cases as they are now."""
    cases = featurized()
    assert cases.graphs is not None
    model, config = load(MODEL)
    scores = Scorer(model, choose_device("cpu")).launch([cases.graphs]).result()
    targets = cases.graphs.node_features[cases.graphs.target_nodes]
    return {
        "feature_schema": FEATURE_SCHEMA,
        "weights_sha256": config.weights_sha256,
        "names": {
            name: {
                "neighbours": int(cases.neighbours[row]),
                "risk_score": round(float(scores.risk_score[row]), 6),
                "name_score": round(float(scores.name_score[row]), 6),
                "features": {
                    feature: round(float(value), 6)
                    for feature, value in zip(NODE_FEATURES, targets[row], strict=True)
                    if value
                },
            }
            for row, (name, _) in enumerate(CASES)
        },
    }
