"""Finds words which show that a model guesses a person's age, sex, race or emotion.

The words may be in a model's file name, in the names of its graph, nodes and outputs, in prose (doc
strings, metadata) or in its class labels. Texts are compared word by word: `AgeNet`, `imdb_ages`
and `agenet` name an age; `page`, `storage` and `agent` do not.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ATTRIBUTES = _words("age ages sex sexes race races male males female females teenage ageing")
"""Words that name an attribute, alone or in compounds with `_COMPANIONS`."""

_COMPANIONS = _words("""
    and are by for from has in is my of on or the to with best final
    net nets network model models head heads branch task multi single base tiny small large lite
    predict predicts predicted predictor predictors prediction predictions pred preds guess
    estimate estimates estimated estimator estimators estimation est
    classify classifier classifiers classification class classes cls category categories
    regress regressor regression reg detector detection detect recognition recognizer recog
    group groups range ranges bin bins bucket prob probs probability probabilities logit logits
    label labels score scores value values out output outputs result results softmax sigmoid
    conv dense linear layer fc cnn mlp vit res resnet vgg mobile mobilenet caffe caffenet alexnet
    googlenet googlelenet inception efficientnet deep onnx dex coral feature features feat feats
    face faces facial person people human pedestrian body imdb wiki utk adience morph real
    apparent biological chronological mean expected year years number data set dataset train
    info analysis analyzer
    """)
_INNOCENT = _words("""
    personage outage forage postage footage outrace visage vinage orage torace forestage branchage
    groupage headrace layerage smallage taskage trainage sexto
""")
"""English words that only look like such compounds (`person` + `age`): all those in Webster's
second edition (264,494 words)."""

_HARMLESS = re.compile(
    r"age[\W_]*db|(?:cross|inter)[\W_]*age|age[\W_]*(?:invarian\w*|independent|agnostic)"
    r"|data[\W_]*race|race[\W_]*condition\w*|(?<![a-z])engender\w*|(?<![a-z])[dr]emotion\w*"
    r"|(?:fac|imag|fram|scen|pos|devic|ey|gestur|slic|singl|th|remov|on|spac|tim)emotion",
    re.IGNORECASE,
)
"""Harmless terms: AgeDB-30 and cross-age LFW are benchmarks of identity, an age-invariant model
does not guess an age, and `facemotion` is not an emotion."""

_STEMS = re.compile(
    r"gender|ethnic|emotion|(?<![a-z])(?:arousal|sentiment)|demograph|masculin|feminin|racial"
    r"|skin[\W_]*(?:tone|colou?r)|how[\W_]*old|years?[\W_]*old"
    r"|fair[\W_]*face|fer[\W_]*plus|fer[\W_]*20?13|affect[\W_]*net|raf[\W_]*db|utk[\W_]*face"
    r"|imdb[\W_]*wiki|mega[\W_]*age|mi[\W_]*volo|(?<![a-z])(?:ssr[\W_]*net|c3ae|chalearn)",
    re.IGNORECASE,
)
"""Parts of words that name an attribute, and well-known data sets and networks."""

_IN_NAMES = re.compile(
    r"expression|attribute|(?:face|facial|person|human|pedestrian)[\W_]*attrs?(?![a-z])"
    r"|(?<![a-z])fer(?![a-z])",
    re.IGNORECASE,
)
_IN_PROSE = re.compile(
    r"(?:fac(?:e|ial)|person|pedestrian|human)[\W_]*(?:expression|attr)", re.IGNORECASE
)
"""In prose, expressions and attributes count only beside a face or a person."""

_RUN = re.compile(r"[^\W\d_]+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")

_LABELS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "sex": (
        _words("man men woman women boy boys girl girls lady gentleman"),
        frozenset(),
    ),
    "race": (
        _words("asian indian african latino latina hispanic caucasian arab mongoloid"),
        _words("white black eastern"),
    ),
    "emotion": (
        _words(
            "happy happiness sad sadness angry anger disgust disgusted contempt fearful surprised"
        ),
        _words("neutral surprise fear joy calm"),
    ),
    "age": (
        _words("teen teenager adult elderly infant baby toddler young youth kid"),
        _words("old child senior middle"),
    ),
}
"""Class labels by attribute: clear and weak words. A text must contain two labels of an attribute,
at least one of them clear: `black` and `white` are also colours, `old` and `child` also nodes."""

_SPAN = re.compile(r"(?<![\d.])(\d{1,2}) ?[-\N{EN DASH}] ?(\d{1,3})(?![\d.])|\((\d+), ?(\d+)\)")
_MIN_SPANS, _MAX_FIRST_YEAR, _MIN_LAST_YEAR = 4, 5, 50


def find_attribute(text: str, *, prose: bool = False) -> str | None:
    """Return the first word of a text that names an attribute; None if no word does.

    Args:
        text: One or several names, or prose.
        prose: Whether the text is prose, in which expressions and attributes count only beside a
            face or a person.

    >>> find_attribute("imdb_ages"), find_attribute("AgeNet"), find_attribute("storage_agent_page")
    ('ages', 'Age', None)
    """
    text = _HARMLESS.sub(" ", unicodedata.normalize("NFKC", text))
    found = _STEMS.search(text) or (_IN_PROSE if prose else _IN_NAMES).search(text)
    if found:
        return found.group()
    for run in _RUN.findall(text):
        for part in (run, *_PART.findall(run)):
            word = part.lower()
            if word not in _INNOCENT and _names_attribute(word.removesuffix("v")):
                return str(part)
    return None


def find_labels(text: str) -> str | None:
    """Return the class labels in a text that name an attribute; None if there are none.

    >>> find_labels("{0: 'happy', 1: 'neutral'}"), find_labels("black and white")
    ('happy, neutral', None)
    """
    words = {word.lower() for word in _RUN.findall(unicodedata.normalize("NFKC", text))}
    for clear, weak in _LABELS.values():
        found = sorted(words & (clear | weak))
        if len(found) > 1 and words & clear:
            return ", ".join(found)
    return _find_age_groups(text)


def _find_age_groups(text: str) -> str | None:
    """Return age groups: consecutive spans of years, from a child's to an old person's age."""
    spans = [(int(a or c), int(b or d)) for a, b, c, d in _SPAN.findall(text)]
    ends = [year for span in spans for year in span]
    if len(spans) < _MIN_SPANS or ends != sorted(ends):
        return None
    if ends[0] > _MAX_FIRST_YEAR or ends[-1] < _MIN_LAST_YEAR:
        return None
    return ", ".join(f"{low}-{high}" for low, high in spans)


@cache
def _names_attribute(word: str) -> bool:
    """Return whether a lower-case word is an attribute, or its compound with companions."""
    if word in _ATTRIBUTES:
        return True
    # Positions up to which the word can be split into pieces: none, or some, are attributes.
    plain, with_attribute = {0}, set[int]()
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - _LONGEST), end):
            piece = word[start:end]
            if piece in _ATTRIBUTES and (start in plain or start in with_attribute):
                with_attribute.add(end)
            elif piece in _COMPANIONS:
                if start in plain:
                    plain.add(end)
                if start in with_attribute:
                    with_attribute.add(end)
    return len(word) in with_attribute


_LONGEST = max(map(len, _COMPANIONS))
