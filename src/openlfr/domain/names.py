# ruff: noqa: RUF001 - this module compares letters that look alike
"""Checks and compares the names of subjects, and of the people who are responsible for an act.

An enroller and an authoriser must be two people, so two spellings of a name count as one person.
Names of people in charge must fit Unicode's security profile "highly restrictive" (UTS 39, section
5.2): letters of one script, or Latin with the scripts of Japanese, Chinese or Korean. A subject's
name may mix letters freely.

Python has no table of scripts. For all scripts in use today, the first word of a letter's Unicode
name is its script. PyICU has an exact table, but needs a C++ library that pip does not install.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Final

from openlfr.domain.text import collapse_spaces, describe_character, find_text_problem

_PUNCTUATION: Final = " '\u2019\u02bc-\u2010\u2011.,\u00b7\u30fb()/:&@_+\u200c\u200d"
_MIN_LETTERS: Final = 2
_HAN: Final = "CJK"
_COMBINED_SCRIPTS: Final = (
    {"LATIN", _HAN, "HIRAGANA", "KATAKANA"},
    {"LATIN", _HAN, "BOPOMOFO"},
    {"LATIN", _HAN, "HANGUL"},
)
_PLACEHOLDERS: Final = frozenset(
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
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
_DEGREES: Final = frozenset({"phd", "md", "msc", "bsc", "mba", "esq"})
_CYRILLIC: Final = ("АВЕЅІЈКМНОРСТУХаеѕіјорсухԁһԛԝ", "ABESIJKMHOPCTYXaesijopcyxdhqw")
_GREEK: Final = ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαινορυχ", "ABEZHIKMNOPTYXaivopux")
_ARMENIAN: Final = ("ՕՍօսո", "OUoun")
_LISU: Final = ("ꓐꓑꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ", "BPDTGKJCZFMNLSRVHWXYAEIOU")
_SMALL_CAPITALS: Final = ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "ABCDEFGHIJKLMNOPQRSTUVWYZ")
_LATIN_LOOKALIKES: Final = {
    ord(one): other
    for pair in (_CYRILLIC, _GREEK, _ARMENIAN, _LISU, _SMALL_CAPITALS)
    for one, other in zip(*pair, strict=True)
}
"""Common confusables of UTS 39: each letter with the Latin letter of the same look."""


def normalise_person(text: str) -> str:
    """Return a person's name in its stored form: normal form C, single spaces."""
    return collapse_spaces(text)


def find_person_problem(text: str) -> str:
    """Return why a text is not a person's name, as the end of a sentence; empty if it is."""
    if problem := find_text_problem(text):
        return problem
    # Full-width and mathematical letters count as the plain letters.
    plain = unicodedata.normalize("NFKC", text)
    for character in plain:
        if unicodedata.category(character)[0] not in "LM" and not (
            unicodedata.category(character) == "Nd" or character in _PUNCTUATION
        ):
            return (
                f"contains {describe_character(character)}, expected a person's name: letters and "
                "digits, with apostrophes, hyphens, full stops, commas"
            )
    letters = [c for c in plain if unicodedata.category(c)[0] == "L"]
    if len(letters) < _MIN_LETTERS:
        return f"is {text!r}, expected a person's name: at least {_MIN_LETTERS} letters"
    if plain.casefold().strip(" .") in _PLACEHOLDERS:
        return f"is {text!r}, expected a person's name, not a placeholder"
    scripts = {_script_of(c) for c in letters} - {"", "MODIFIER"}
    if len(scripts) > 1 and not any(scripts <= together for together in _COMBINED_SCRIPTS):
        first = _script_of(letters[0])
        other = next(c for c in letters if _script_of(c) not in ("", "MODIFIER", first))
        return (
            f"mixes the letters of {' and '.join(sorted(s.capitalize() for s in scripts))} "
            f"({describe_character(other)}), which can pass for another name"
        )
    return ""


def find_subject_problem(text: str) -> str:
    """Return why a text cannot be a subject's name, as the end of a sentence; empty if it can."""
    if problem := find_text_problem(text):
        return problem
    if not any(unicodedata.category(c)[0] in "LN" for c in text):
        return f"is {text!r}, expected a name that contains a letter or a digit"
    return ""


def is_same_person(one: str, other: str) -> bool:
    """Return whether two names can belong to one person.

    These differences are ignored: case, accents, punctuation, order ("Smith, John"), titles,
    letters that look alike, another spelling of a letter (ł, ü, an Arabic or a Persian yeh), an
    initial for a name, a missing middle name, and a number that only one of the names contains.

    >>> is_same_person("Smith, John", "Dr. john  SMITH"), is_same_person("J. Smith", "John Smith")
    (True, True)
    >>> is_same_person("Ann Smith", "John Smith")
    False
    """
    return any(
        _words_match(words(one, one_spelled_out), words(other, other_spelled_out))
        for words in (_words, _words_without_titles)
        for one_spelled_out, other_spelled_out in ((False, False), (True, False), (False, True))
    )


def _words_match(one: list[str], other: list[str]) -> bool:
    if any(map(str.isdigit, one)) != any(map(str.isdigit, other)):  # one lacks the collar number
        one, other = ([w for w in words if not w.isdigit()] for words in (one, other))
    if not one or not other:
        return False
    if "".join(one) == "".join(other):  # one lacks the spaces
        return True
    shared = list((Counter(one) & Counter(other)).elements())
    one, other = (sorted((Counter(words) - Counter(shared)).elements()) for words in (one, other))
    if not one and not other:
        return True
    if not one or not other:  # John A. Smith and John Smith
        full = [word for word in shared if len(word) > 1]
        return len(full) > 1 and all(len(word) == 1 for word in (*one, *other))
    return len(one) == len(other) and all(
        (a.startswith(b) and len(b) == 1) or (b.startswith(a) and len(a) == 1)
        for a, b in zip(one, other, strict=True)
    )


def _words_without_titles(name: str, spelled_out: bool) -> list[str]:
    """Return the words of a name without the titles before it and the titles or degrees after."""
    kept = []
    for part in re.split("[,()]", name):
        words = _words(part, spelled_out)
        while words and words[0] in _TITLES:
            del words[0]
        while words and (words[-1] in _DEGREES or (len(words) > 2 and words[-1] in _TITLES)):
            del words[-1]
        kept += words
    return kept


def _words(name: str, spelled_out: bool) -> list[str]:
    """Return the words of a name, without differences that do not make another person.

    Args:
        name: A name or a mail address; the host of an address is ignored.
        spelled_out: Whether Jürgen becomes Juergen rather than Jurgen.
    """
    plain = _HOST.sub("", name).translate(_LATIN_LOOKALIKES)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", plain).casefold())
    if spelled_out:
        folded = folded.translate(_SPELLED_OUT)
    folded = unicodedata.normalize("NFKD", folded.translate(_SAME_LETTER)).translate(
        _LATIN_LOOKALIKES
    )
    bare = "".join(c for c in folded if not _MARK.match(c) and c not in _IGNORED_IN_WORDS)
    return "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in bare).split()


_IGNORED_IN_WORDS: Final = "'\u2019\u02bc\u200c\u200d\u0640"  # O'Brien is OBrien
_HOST: Final = re.compile(r"@\S*")
_MARK: Final = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
"""Marks that are ignored: accents of Latin, Greek and Cyrillic, the often omitted points of Hebrew
and Arabic, and variation selectors. The vowel signs of other scripts count as letters."""
_SPELLED_OUT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_SAME_LETTER: Final = str.maketrans(
    {
        "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i",
        "æ": "ae", "œ": "oe", "þ": "th",
        "\u064a": "\u06cc", "\u0649": "\u06cc", "\u0643": "\u06a9",
    }
)  # fmt: skip
"""The usual replacements on keyboards without these letters; Arabic yeh and kaf become Persian."""


def _script_of(letter: str) -> str:
    """Return the script of a letter, from its Unicode name; empty for a letter of all scripts."""
    name = unicodedata.name(letter, "")
    first, _, rest = name.partition(" ")
    if first in ("IDEOGRAPHIC", "CJK"):
        return _HAN
    if first == "KATAKANA-HIRAGANA":
        return ""
    return first if rest else ""
