"""Checks text that people enter, and escapes text that is displayed.

A control character can rewrite a reader's terminal, a bidirectional override can reverse a name,
and an invisible character makes two different names look the same. Such characters are rejected on
input, and escaped on output because a database may contain older text.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Final

from openlfr.domain.errors import BadInput

MOST_CHARACTERS: Final = 500
_MOST_MARKS: Final = 4  # on one letter: UTS 39, section 5.4
_JOINERS: Final = "\u200c\u200d"
"""Needed between letters of Persian, Hindi and other scripts, and in combined emoji."""
_BREAKS: Final = " \t\r\n"
_REFUSED: Final = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Invisible letters and marks: a name of them is blank, and added to a name they make another."""
_CONTROLS: Final = {
    0: "NUL", 7: "BELL", 8: "BACKSPACE", 9: "TAB", 10: "LINE BREAK", 13: "CARRIAGE RETURN",
    27: "ESCAPE", 127: "DELETE",
}  # fmt: skip


def clean(text: str) -> str:
    """The text in normal form C, with a plain space for every kind of space and line break."""
    plain = (" " if c in _BREAKS or unicodedata.category(c) == "Zs" else c for c in text)
    return " ".join(unicodedata.normalize("NFC", "".join(plain)).split(" ")).strip()


def squeeze(text: str) -> str:
    """As `clean`, with runs of spaces reduced to one."""
    return " ".join(clean(text).split())


def problem_of(text: str) -> str:
    r"""The problem of a cleaned text, as the end of a sentence; empty without a problem.

    >>> problem_of("A\u200bB")
    'holds U+200B ZERO WIDTH SPACE'
    """
    if len(text) > MOST_CHARACTERS:
        return f"has {len(text)} characters, at most {MOST_CHARACTERS} are kept"
    marks = 0
    for place, character in enumerate(text):
        refused = unicodedata.category(character) in _REFUSED or character in _UNSEEN
        if (refused and not _joins(text, place)) or _selects_nothing(text, place):
            return f"holds {named(character)}"
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks > _MOST_MARKS:
            return f"holds more than {_MOST_MARKS} marks on one letter, the last {named(character)}"
    return ""


def given_reason(text: str) -> str:
    """The reason that somebody gives, as it is recorded; empty where they give none.

    Raises:
        BadInput: It holds nothing but spaces, or what may not be kept.
    """
    reason = squeeze(text)
    if text and not reason:
        raise BadInput("The reason is blank: give one in words, or leave it out.")
    if problem := problem_of(reason):
        raise BadInput(f"The reason {problem}.")
    return reason


def required_reason(text: str, what: str) -> str:
    """As `given_reason`, where something is done by a reason only.

    Args:
        text: In the words of the person.
        what: Needs it; begins the sentence of the refusal.

    Raises:
        BadInput: There is none, it is blank, or it holds what may not be kept.
    """
    if not squeeze(text):
        raise BadInput(f"{what} needs a reason, --reason TEXT: it is recorded.")
    return given_reason(text)


def named(character: str) -> str:
    """A character's code and Unicode name: U+202E RIGHT-TO-LEFT OVERRIDE."""
    code = ord(character)
    name = unicodedata.name(character, "") or _CONTROLS.get(code, "")
    if not name:
        kind = unicodedata.category(character)
        name = {"Cc": "a control character", "Cs": "half a character"}.get(kind, "not assigned")
    return f"U+{code:04X} {name}"


def shown(text: str) -> str:
    r"""The text with active characters escaped, safe for a terminal, a log or a page.

    Line breaks and tabs stay. Every other control, invisible or direction character is written as
    a JSON escape, so that JSON stays equal JSON. Joiners between letters stay.

    >>> shown("Ann\x1b[2J")
    'Ann\\u001b[2J'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" or _harmless(text, place) else json.dumps(c)[1:-1]
        for place, c in enumerate(text)
    )


def one_line(text: str) -> str:
    """As `shown`, on one line, so that a file's name or an old entry cannot start a new line."""
    return shown(text).replace("\n", "\\n").replace("\t", "\\t")


def _harmless(text: str, place: int) -> bool:
    return unicodedata.category(text[place]) == "Zs" or _joins(text, place)


def _joins(text: str, place: int) -> bool:
    """Whether the character is a joiner between two characters that can be joined."""
    if text[place] not in _JOINERS or not 0 < place < len(text) - 1:
        return False
    before, after = (unicodedata.category(text[n])[0] for n in (place - 1, place + 1))
    return before in "LMS" and after in "LS"


def _selects_nothing(text: str, place: int) -> bool:
    """Whether the character is a variation selector without effect, and so invisible.

    Chinese characters in Japanese names have variants, and so do emoji.
    """
    if not ("\ufe00" <= text[place] <= "\ufe0f" or "\U000e0100" <= text[place] <= "\U000e01ef"):
        return False
    before = text[place - 1] if place else " "
    return unicodedata.category(before) != "So" and not unicodedata.name(before, "").startswith(
        "CJK "
    )
