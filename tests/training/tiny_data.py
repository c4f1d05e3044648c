"""A data set that is trained on in seconds, and the recipe and workshop for it."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from training.data import GRAPH_EDGES, GRAPH_NODES, TRAIN_NAMES
from training.recipe import Recipe
from training.steps.cache import Workshop
from training.steps.plan import STEPS

QUICK = Recipe(
    synthetic_names=60,
    local_names=60,
    service_names=60,
    network_names=12,
    look_alike_names=12,
    international_names=24,
    lexical_epochs=6.0,
    lexical_batch=64,
    evidence_steps=200,
    evidence_batch=32,
    decoys=120,
)
WORDS = ("alpha", "garden", "river", "market", "school", "museum", "coffee", "travel", "music", "paper")
# Generated names are of pieces, so that others like them can be made up.
PIECES = (
    *("qxzj", "kvwh", "pb01", "zz7k", "x3vw", "0jh5", "qq8x", "vkp2"),
    *("wh9z", "jb4q", "hx6v", "k1zp", "vvxj", "q7wk", "bz3h", "p9xq"),
)


def write(path: Path, header: str, rows: list[str]) -> None:
    path.write_bytes(gzip.compress("\n".join([header, *rows, ""]).encode()))


def benign(number: int) -> str:
    first, second = WORDS[number % 10], WORDS[number // 10 % 10]
    return f"{first}{second}.org" if number < 100 else f"{first}-{second}{number}.org"


def generated(rng: np.random.Generator) -> str:
    return "".join(rng.choice(PIECES, 5)) + ".top"


def write_data(folder: Path) -> Path:
    """Training files of the documented formats, in which malice is plain to see; the result is the folder."""
    rng = np.random.default_rng(0)
    rows = [f"{benign(number)},0,benign,benign,top-stable,2020-01-01,train,strong" for number in range(300)]
    for number in range(300):
        family = "pushdo" if number % 6 == 0 else "murofet-like"
        rows.append(f"{generated(rng)},1,dga,{family},baderj-dga,,train,strong")
    for number in range(20):
        kind = ("malware", "phishing")[number % 2]
        rows.append(f"{generated(rng)},1,{kind},loader,maltrail,,train,strong")
    header = "domain,label,category,family,source,first_seen,split_reason,label_quality"
    write(folder / TRAIN_NAMES, header, rows)
    nodes, edges = [], []
    for number in range(80):
        name = generated(rng) if number % 2 else benign(1000 + number)
        split = "val" if number % 5 == 0 else "train"
        nodes.append(f"{number},domain,{name},{name},{number % 2},{split}")
        edges.append(f"{number},{100 + number % 2 * 3 + number % 3},resolves")
    nodes += [f"{100 + number},ip,ip-{100 + number},,," for number in range(6)]
    write(folder / GRAPH_NODES, "id,type,name,registered_domain,label,split", nodes)
    write(folder / GRAPH_EDGES, "src,dst,type", edges)
    return folder


def workshop(data: Path, root: Path, recipe: Recipe = QUICK) -> Workshop:
    """The plan over a data folder, as version 7."""
    return Workshop(data, root, recipe, "7", STEPS)


def toml(recipe: Recipe) -> str:
    """A recipe as `--recipe` reads it."""
    return "".join(f"{name} = {value}\n" for name, value in recipe.as_dict().items())
