"""Checks text that people enter, and escapes text before display.

A control character can rewrite a reader's terminal, a bidirectional override can reverse a name,
and an invisible character makes two different names look the same. Such characters are rejected on
input, and escaped on output because a database may contain older text.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Final

from openlfr.domain.errors import BadInput

MAX_CHARACTERS: Final = 500
_MAX_MARKS: Final = 4  # combining marks on one letter: UTS 39, section 5.4
_JOINERS: Final = "\u200c\u200d"
"""Persian, Hindi and other scripts need joiners between letters, and so do combined emoji."""
_BREAKS: Final = " \t\r\n"
_REJECTED_CATEGORIES: Final = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Invisible letters and marks: a name of only such characters looks blank, and two names that
differ only in such characters look the same."""
_CONTROL_NAMES: Final = {
    0: "NUL", 7: "BELL", 8: "BACKSPACE", 9: "TAB", 10: "LINE BREAK", 13: "CARRIAGE RETURN",
    27: "ESCAPE", 127: "DELETE",
}  # fmt: skip


def normalise_spaces(text: str) -> str:
    """Return the text in normal form C, with a plain space for each space and line break."""
    plain = (" " if c in _BREAKS or unicodedata.category(c) == "Zs" else c for c in text)
    return " ".join(unicodedata.normalize("NFC", "".join(plain)).split(" ")).strip()


def collapse_spaces(text: str) -> str:
    """Apply `normalise_spaces` and reduce each run of spaces to one."""
    return " ".join(normalise_spaces(text).split())


def find_text_problem(text: str) -> str:
    r"""Return the problem of a normalised text as the end of a sentence; empty if it has none.

    >>> find_text_problem("A\u200bB")
    'contains U+200B ZERO WIDTH SPACE'
    """
    if len(text) > MAX_CHARACTERS:
        return f"has {len(text)} characters, at most {MAX_CHARACTERS} are allowed"
    marks = 0
    for index, character in enumerate(text):
        category = unicodedata.category(character)
        is_rejected = category in _REJECTED_CATEGORIES or character in _INVISIBLE
        if (is_rejected and not _is_joiner(text, index)) or _is_idle_selector(text, index):
            return f"contains {describe_character(character)}"
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _MAX_MARKS:
            last = describe_character(character)
            return f"contains more than {_MAX_MARKS} marks on one letter, the last {last}"
    return ""


def check_reason(text: str) -> str:
    """Return a person's reason in the form in which it is recorded; empty if it was left out.

    Raises:
        BadInput: The reason contains only spaces, or a character that is not allowed.
    """
    reason = collapse_spaces(text)
    if text and not reason:
        raise BadInput("The reason is blank: enter words, or leave the reason out.")
    if problem := find_text_problem(reason):
        raise BadInput(f"The reason {problem}.")
    return reason


def require_reason(text: str, what: str) -> str:
    """Apply `check_reason` for an act that needs a reason.

    Args:
        text: The person's reason.
        what: The act; first words of the error message.

    Raises:
        BadInput: The reason is missing or blank, or contains a character that is not allowed.
    """
    if not collapse_spaces(text):
        raise BadInput(f"{what} needs a reason, --reason TEXT, which is recorded.")
    return check_reason(text)


def describe_character(character: str) -> str:
    """Return a character's code and Unicode name: U+202E RIGHT-TO-LEFT OVERRIDE."""
    code = ord(character)
    name = unicodedata.name(character, "") or _CONTROL_NAMES.get(code, "")
    if not name:
        kind = unicodedata.category(character)
        name = {"Cc": "a control character", "Cs": "half a character"}.get(kind, "not assigned")
    return f"U+{code:04X} {name}"


def escape_text(text: str) -> str:
    r"""Escape control and invisible characters, so that a terminal, log or page displays them.

    Line breaks, tabs and joiners between letters stay. Every other control, invisible or direction
    character becomes a JSON escape, so that a JSON text keeps its value.

    >>> escape_text("Ann\x1b[2J")
    'Ann\\u001b[2J'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" or _is_harmless(text, index) else json.dumps(c)[1:-1]
        for index, c in enumerate(text)
    )


def escape_line(text: str) -> str:
    """Apply `escape_text` and escape line breaks and tabs too.

    So the name of a file, or an old entry, cannot start a new line.
    """
    return escape_text(text).replace("\n", "\\n").replace("\t", "\\t")


def _is_harmless(text: str, index: int) -> bool:
    return unicodedata.category(text[index]) == "Zs" or _is_joiner(text, index)


def _is_joiner(text: str, index: int) -> bool:
    """Return whether the character is a joiner between two characters that can be joined."""
    if text[index] not in _JOINERS or not 0 < index < len(text) - 1:
        return False
    before, after = (unicodedata.category(text[n])[0] for n in (index - 1, index + 1))
    return before in "LMS" and after in "LS"


def _is_idle_selector(text: str, index: int) -> bool:
    """Return whether the character is a variation selector without effect, so it is invisible.

    A selector has an effect after a Chinese character, as in Japanese names, and after an emoji.
    """
    if not ("\ufe00" <= text[index] <= "\ufe0f" or "\U000e0100" <= text[index] <= "\U000e01ef"):
        return False
    before = text[index - 1] if index else " "
    return unicodedata.category(before) != "So" and not unicodedata.name(before, "").startswith(
        "CJK "
    )
