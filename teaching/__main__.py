"""`python -m teaching`: learn both models from the examples beside this file, and write them into the bot.

Logistic regression by scikit-learn: the plainest model whose scores are probabilities. What the bot keeps are
its weights, rounded, without those that hardly count.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from bot.hearing import ear
from bot.hearing.crisis import PRECEDENCE
from bot.hearing.learned import MODELS, OTHER, PRECISION, features
from evaluation import cases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.hearing.learned import Name

HERE = Path(__file__).parent
_FILES: dict[Name, str] = {"wish": "wishes.tsv", "topic": "questions.tsv"}
_STRENGTH = 40.0
"""How closely the examples are followed: the inverse of scikit-learn's regularisation."""
_SEEN = 2
"""In how many examples a feature must stand."""
_LEAST = {"wish": 4, "topic": 8}
"""The least weight that is kept, in parts of `PRECISION`."""


def read(name: Name) -> list[tuple[str, str]]:
    """The examples of a model: label and message; those of the evaluation too, but for what is kept."""
    with (HERE / _FILES[name]).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        examples = [(label, text) for label, _, text in rows]
    asked = [case for case in cases.read() if case.half != cases.KEPT]
    return [*examples, *((label, case.text) for case in asked if (label := _LABEL[name](case)) is not None)]


def mark(name: Name) -> str:
    """What the examples of a model are known by: 16 hexadecimal digits."""
    return hashlib.sha256(repr(read(name)).encode()).hexdigest()[:16]


def _wish(case: cases.Case) -> str | None:
    """What a case of the evaluation teaches of wishes."""
    match case.kind:
        case "crisis":
            return case.wanted if case.wanted in PRECEDENCE else None
        case "leaving":
            wanted = case.wanted.removeprefix("=")
            return {"other": OTHER}.get(wanted, wanted)
        case "ordinary":
            return OTHER
    return None if case.wanted.startswith(("=", *PRECEDENCE)) else OTHER


def _topic(case: cases.Case) -> str | None:
    """What a case of the evaluation teaches of topics."""
    if case.kind not in ("questions", "samples") or case.wanted.startswith(("=", *PRECEDENCE)):
        return None
    return case.wanted.partition("|")[0]


_LABEL = {"wish": _wish, "topic": _topic}


def learn(name: Name) -> dict[str, object]:
    """A model as the bot keeps it."""
    examples = read(name)
    labels = sorted({label for label, _ in examples})
    found = [features(ear.words(text)) for _, text in examples]
    seen = Counter(feature for one in found for feature in one)
    known = {feature: n for n, feature in enumerate(sorted(f for f, times in seen.items() if times >= _SEEN))}
    judge = LogisticRegression(C=_STRENGTH, max_iter=300, tol=1e-4)
    judge.fit(_matrix(found, known), [labels.index(label) for label, _ in examples])
    weights: dict[str, list[int]] = {}
    for feature, n in known.items():
        parts = [(k, round(float(row[n]) * PRECISION)) for k, row in enumerate(judge.coef_)]
        kept = [part for pair in parts if abs(pair[1]) >= _LEAST[name] for part in pair]
        if kept:
            weights[feature] = kept
    bias = [round(float(one), 3) for one in judge.intercept_]
    return {"examples": mark(name), "labels": labels, "bias": bias, "weights": weights}


def _matrix(found: Sequence[dict[str, float]], known: dict[str, int]) -> csr_matrix:
    """A row a message, of length one before what is rare is left out."""
    every: dict[str, int] = dict(known)
    for one in found:
        for feature in one:
            every.setdefault(feature, len(every))
    rows = [n for n, one in enumerate(found) for _ in one]
    columns = [every[feature] for one in found for feature in one]
    values = [value for one in found for value in one.values()]
    whole = normalize(csr_matrix((values, (rows, columns)), shape=(len(found), len(every))))
    return whole[:, : len(known)]


def main() -> None:
    """Learn and write."""
    for name in _FILES:
        text = json.dumps(learn(name), ensure_ascii=False, separators=(",", ":"))
        (MODELS / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
