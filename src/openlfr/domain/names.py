# ruff: noqa: RUF001 - letters that look alike are what this is about
"""Names of people: of subjects, in any letters, and of the people responsible for an act.

An enroller and an authoriser must be two people. So their names must fit Unicode's security
profile "highly restrictive" (UTS 39, section 5.2: letters of one script, or Latin with the scripts
of Japanese, Chinese or Korean), and two spellings of a name count as one person. Python has no
table of scripts; the first word of a letter's Unicode name is the script for all scripts in use
today. PyICU has an exact table, but needs a C++ library that pip does not install.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Final

from openlfr.domain.text import named, problem_of, squeeze

_BESIDE_LETTERS: Final = " '\u2019\u02bc-\u2010\u2011.,\u00b7\u30fb()/:&@_+\u200c\u200d"
_LETTERS_NEEDED: Final = 2
_HAN: Final = "CJK"
_TOGETHER: Final = (
    {"LATIN", _HAN, "HIRAGANA", "KATAKANA"},
    {"LATIN", _HAN, "BOPOMOFO"},
    {"LATIN", _HAN, "HANGUL"},
)
_NOBODY: Final = frozenset(
    ("n/a", "n.a", "none", "nobody", "unknown", "not known", "tbd", "tba", "anonymous", "ditto",
     "same", "same as above", "as above", "see above")
)  # fmt: skip
"""Words that people enter in forms instead of a name."""
_TITLES: Final = frozenset(
    """
    mr mrs ms miss mx dr prof professor sir dame rev revd hon herr frau hr mme mlle monsieur madame
    sr sra srta senor senora signor signora phd md msc bsc mba esq ing dipl
    pc ps sgt sergeant insp inspector dci dcs chief supt superintendent det detective constable
    di ds dc wpc pcso officer cmdr commander capt captain lt lieutenant
    """.split()  # noqa: SIM905 - readable so
)
_DEGREES: Final = frozenset({"phd", "md", "msc", "bsc", "mba", "esq"})
_CYRILLIC: Final = ("АВЕЅІЈКМНОРСТУХаеѕіјорсухԁһԛԝ", "ABESIJKMHOPCTYXaesijopcyxdhqw")
_GREEK: Final = ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαινορυχ", "ABEZHIKMNOPTYXaivopux")
_ARMENIAN: Final = ("ՕՍօսո", "OUoun")
_LOOKS_LIKE: Final = {
    ord(one): other
    for pair in (_CYRILLIC, _GREEK, _ARMENIAN)
    for one, other in zip(*pair, strict=True)
}
"""Letters that look like Latin ones: the confusables of UTS 39 that are in use."""


def person(text: str) -> str:
    """A person's name as it is stored: normal form C, single spaces."""
    return squeeze(text)


def problem_of_person(text: str) -> str:
    """Why a text is no person's name, as the end of a sentence; empty where it is one."""
    if problem := problem_of(text):
        return problem
    # Full-width and mathematical letters are those letters.
    plain = unicodedata.normalize("NFKC", text)
    for character in plain:
        if unicodedata.category(character)[0] not in "LM" and not (
            unicodedata.category(character) == "Nd" or character in _BESIDE_LETTERS
        ):
            return (
                f"holds {named(character)}, expected a person's name: letters and digits, with "
                "apostrophes, hyphens, full stops, commas"
            )
    letters = [c for c in plain if unicodedata.category(c)[0] == "L"]
    if len(letters) < _LETTERS_NEEDED:
        return f"is {text!r}, expected a person's name: at least {_LETTERS_NEEDED} letters"
    if plain.casefold().strip(" .") in _NOBODY:
        return f"is {text!r}, expected a person's name: who it is must be known"
    scripts = {_script(c) for c in letters} - {"", "MODIFIER"}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        first = _script(letters[0])
        other = next(c for c in letters if _script(c) not in ("", "MODIFIER", first))
        return (
            f"mixes the letters of {' and '.join(sorted(s.capitalize() for s in scripts))} "
            f"({named(other)}), which can pass for another name"
        )
    return ""


def problem_of_subject(text: str) -> str:
    """Why a text cannot be a subject's name, as the end of a sentence; empty where it can."""
    if problem := problem_of(text):
        return problem
    if not any(unicodedata.category(c)[0] in "LN" for c in text):
        return f"is {text!r}, expected a name with a letter or a digit in it"
    return ""


def same_person(one: str, other: str) -> bool:
    """Whether two names can be one person's.

    Case, accents, punctuation, order ("Smith, John"), titles and letters that look alike make no
    other person, nor does an initial in place of a name or a middle one left out, a number that one
    of the two lacks, or another way to write a letter (ł, ü, an Arabic or a Persian yeh).

    >>> same_person("Smith, John", "Dr. john  SMITH"), same_person("J. Smith", "John Smith")
    (True, True)
    >>> same_person("Ann Smith", "John Smith")
    False
    """
    return any(
        _match(words(one, mine), words(other, yours))
        for words in (_words, _untitled)
        for mine, yours in ((False, False), (True, False), (False, True))
    )


def _match(mine: list[str], yours: list[str]) -> bool:
    if any(map(str.isdigit, mine)) != any(map(str.isdigit, yours)):  # a collar number left out
        mine, yours = ([w for w in words if not w.isdigit()] for words in (mine, yours))
    if not mine or not yours:
        return False
    if "".join(mine) == "".join(yours):  # spaces left out
        return True
    shared = list((Counter(mine) & Counter(yours)).elements())
    mine, yours = (sorted((Counter(words) - Counter(shared)).elements()) for words in (mine, yours))
    if not mine and not yours:
        return True
    if not mine or not yours:  # John A. Smith beside John Smith
        full = [word for word in shared if len(word) > 1]
        return len(full) > 1 and all(len(word) == 1 for word in (*mine, *yours))
    return len(mine) == len(yours) and all(
        (a.startswith(b) and len(b) == 1) or (b.startswith(a) and len(a) == 1)
        for a, b in zip(mine, yours, strict=True)
    )


def _untitled(name: str, spelled_out: bool) -> list[str]:
    """The words of a name without titles before it and titles or degrees after it."""
    left = []
    for part in re.split("[,()]", name):
        words = _words(part, spelled_out)
        while words and words[0] in _TITLES:
            del words[0]
        while words and (words[-1] in _DEGREES or (len(words) > 2 and words[-1] in _TITLES)):
            del words[-1]
        left += words
    return left


def _words(name: str, spelled_out: bool) -> list[str]:
    """The words of a name, without differences that do not make another person.

    Args:
        name: A name; of a mail address, the part before the host is used.
        spelled_out: Whether Jürgen becomes Juergen, and not Jurgen.
    """
    plain = _HOST.sub("", name).translate(_LOOKS_LIKE)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", plain).casefold())
    if spelled_out:
        folded = folded.translate(_SPELLED_OUT)
    folded = unicodedata.normalize("NFKD", folded.translate(_SAME_LETTER)).translate(_LOOKS_LIKE)
    bare = "".join(c for c in folded if not _MARK.match(c) and c not in _INSIDE)
    return "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in bare).split()


_INSIDE: Final = "'\u2019\u02bc\u200c\u200d\u0640"  # O'Brien is OBrien
_HOST: Final = re.compile(r"@\S*")
_MARK: Final = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
"""Accents of Latin, Greek and Cyrillic, the points of Hebrew and Arabic, which are often left out,
and selectors of a variant. The vowel signs of other scripts are letters."""
_SPELLED_OUT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_SAME_LETTER: Final = str.maketrans(
    {
        "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i",
        "æ": "ae", "œ": "oe", "þ": "th",
        "\u064a": "\u06cc", "\u0649": "\u06cc", "\u0643": "\u06a9",
    }
)  # fmt: skip
"""Usual replacements on keyboards without these letters; and Arabic yeh and kaf as Persian ones."""


def _script(letter: str) -> str:
    """The script of a letter, from its Unicode name; empty for letters of every script."""
    name = unicodedata.name(letter, "")
    first, _, rest = name.partition(" ")
    if first in ("IDEOGRAPHIC", "CJK"):
        return _HAN
    if first == "KATAKANA-HIRAGANA":
        return ""
    return first if rest else ""
