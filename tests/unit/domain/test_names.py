# ruff: noqa: RUF001, E501 - letters that look alike are what this is about
"""Names of people: who may answer for an act, who may be listed, and when two names are one."""

import unicodedata

import pytest

from openlfr.domain.names import find_person_problem, find_subject_problem, is_same_person
from openlfr.domain.text import escape_text, find_text_problem, normalise_spaces

PEOPLE = [
    "Eve Enroller", "O'Brien", "Seán Ó\u2019Brien", "Anne-Marie d'Arc", "J. R. Smith 3rd", "PC 4711 Li",
    "Smith, John", "Šimić", "Łukasz Żółć", "김수", "山田 太郎", "山田 タロウ", "ヤマダ・タロウ", "王 Wang",
    "김 Kim", "علی\u200cرضا احمدی", "Владимир", "Ελένη Παπαδοπούλου", "นายสมชาย", "राम प्रसाद",
    "क्\u200dष Rao".replace("Rao", "राव"), "Ｊｏｈｎ", "j.smith@police.example", "Supt. A. Ng (Ops)", "ʻOkina Kai",
    "Mary/Jo", "Null, Nan", "Na Li", "Nil Nobody", "葛\U000e0100城 花子", "辻\ufe00 花子", "Nuñez i Núñez", "Ly",
]  # fmt: skip


@pytest.mark.parametrize("name", PEOPLE)
def test_is_a_person(name):
    assert find_person_problem(normalise_spaces(name)) == ""


NO_PEOPLE = [
    ("?", "contains U+003F QUESTION MARK, expected a person's name"),
    ("", "is '', expected a person's name: at least 2 letters"),
    ("...", "at least 2 letters"),
    ("E", "is 'E', expected a person's name: at least 2 letters"),
    ("12345", "at least 2 letters"),
    ("1 a", "at least 2 letters"),
    ("é", "at least 2 letters"),
    ("\U0001f600", "contains U+1F600 GRINNING FACE"),
    ("Eve \U0001f600", "contains U+1F600 GRINNING FACE"),
    ("<b>Eve</b>", "contains U+003C LESS-THAN SIGN"),
    ("=cmd()", "contains U+003D EQUALS SIGN"),
    ("Eve\x1b[2J", "contains U+001B ESCAPE"),
    ("Eve\x9b2J", "contains U+009B a control character"),
    ("Eve\x00", "contains U+0000 NUL"),
    ("\u202eevE", "contains U+202E RIGHT-TO-LEFT OVERRIDE"),
    ("Eve\u2066x", "contains U+2066 LEFT-TO-RIGHT ISOLATE"),
    ("Eve\u200bSmith", "contains U+200B ZERO WIDTH SPACE"),
    ("Eve\u00adSmith", "contains U+00AD SOFT HYPHEN"),
    ("Eve\u200c", "contains U+200C ZERO WIDTH NON-JOINER"),
    ("\ufeffEve", "contains U+FEFF ZERO WIDTH NO-BREAK SPACE"),
    ("Eve\ue000", "contains U+E000 not assigned"),
    ("Eve\U000e0041", "contains U+E0041 TAG LATIN CAPITAL LETTER A"),
    ("Eve\udc80", "contains U+DC80 half a character"),
    ("Ev\u0435", "mixes the letters of Cyrillic and Latin (U+0435 CYRILLIC SMALL LETTER IE)"),
    ("\u0391nna", "mixes the letters of Greek and Latin"),
    ("Eve \u05d0\u05d1", "mixes the letters of Hebrew and Latin"),
    ("한タ", "mixes the letters of Hangul and Katakana"),
    ("A" + "\u0301" * 6 + "nn", "contains more than 4 marks on one letter"),
    ("N/A", "is 'N/A', expected a person's name"),
    ("unknown", "is 'unknown', expected a person's name"),
    ("None.", "is 'None.', expected a person's name"),
    ("as above", "expected a person's name"),
    ("Eve\u3164Smith", "contains U+3164 HANGUL FILLER"),
    ("김\uffa0수", "contains U+FFA0 HALFWIDTH HANGUL FILLER"),
    ("\u115f\u1160", "contains U+115F HANGUL CHOSEONG FILLER"),
    ("Eve\ufe0f Li", "contains U+FE0F VARIATION SELECTOR-16"),
    ("Eve\U000e0101", "contains U+E0101 VARIATION SELECTOR-18"),
    ("Ev\u034fe", "contains U+034F COMBINING GRAPHEME JOINER"),
    ("x" * 501, "has 501 characters, at most 500 are allowed"),
]


@pytest.mark.parametrize(("name", "says"), NO_PEOPLE)
def test_is_no_person_and_names_the_character(name, says):
    problem = find_person_problem(normalise_spaces(name))
    assert says in problem
    assert escape_text(problem) == problem


ONE = [
    ("Smith, John", "John Smith"),
    ("John Smith", "JOHN  smith"),
    ("J. Smith", "smith, j"),
    ("J. Smith", "John Smith"),
    ("Eve-Enroller.", "eve enroller"),
    ("Jos\u00e9 Ruiz", "Jose\u0301 Ruiz"),
    ("José Ruiz", "Jose Ruiz"),
    ("Dr. John Smith", "John Smith"),
    ("Chief Inspector John Smith", "Smith, Sgt. John"),
    ("John Smith, PhD", "John Smith"),
    ("John Smith PhD", "Dr Smith, J."),
    ("Officer, Otto", "Otto Officer"),
    ("Señor Juan Ruiz", "ruiz juan"),
    ("O'Brien Pat", "Pat O\u2019Brien"),
    ("Straße Ann", "STRASSE Ann"),
    ("John\u00a0Smith", "John Smith"),
    ("Ｊｏｈｎ Ｓｍｉｔｈ", "John Smith"),
    ("\U0001d409ohn Smith", "John Smith"),
    ("Сосо", "Coco"),
    ("علی\u200cرضا", "علیرضا"),
    ("JohnSmith", "John Smith"),
    ("山田 太郎", "山田太郎"),
    ("葛\U000e0100城 花子", "葛城 花子"),
    ("Łukasz Nowak", "Lukasz Nowak"),
    ("Søren Æbel", "Soren Aebel"),
    ("Jürgen Müller", "Juergen Mueller"),
    ("علي", "علی"),
    ("كريم", "کریم"),
    ("مُحَمَّد احمدی", "محمد احمدی"),
    ("محـــمد", "محمد"),
    ("John A. Smith", "John Smith"),
    ("John Smith 1234", "John Smith"),
    ("PC 1234 John Smith", "Smith, John"),
    ("John Smith (PC)", "John Smith"),
    ("John Smith PC", "John Smith"),
    ("DI John Smith", "John Smith"),
    ("john.smith@police.example", "John Smith"),
    ("\u1d00\u0274\u0274 s\u1d0d\u026a\u1d1b\u029c", "Ann Smith"),  # small capitals
    ("\ua4ee\ua4e0\ua4e0 \ua4e2\ua4df\ua4f2\ua4d4\ua4e7", "Ann Smith"),  # Lisu
]


@pytest.mark.parametrize(("one", "other"), ONE)
def test_two_spellings_are_one_person(one, other):
    assert is_same_person(normalise_spaces(one), normalise_spaces(other))
    assert is_same_person(normalise_spaces(other), normalise_spaces(one))


TWO = [
    ("Ann Smith", "John Smith"),
    ("Ann Smith", "Ann Smythe"),
    ("A. Smith", "B. Smith"),
    ("Smith", "John Smith"),
    ("Dr. Ann Ng", "Dr. John Li"),
    ("राम", "रमा"),
    ("김수", "김소"),
    ("Вера", "Анна"),
    ("Officer", "Constable"),
    ("Acceptance Officer", "Acceptance Constable"),
    ("Otto Officer", "Otto Sergeant"),
    ("PC 1234 Li", "PC 1235 Li"),
    ("Ann Li 1", "Ann Li 2"),
    ("Ann A. Li", "Ann B. Li"),
    ("Ann Li", "Ann J. Wang"),
    ("john.smith@police.example", "ann.li@police.example"),
    ("John Constable", "John Sergeant"),
    ("Di Smith", "Ann Smith"),
]


@pytest.mark.parametrize(("one", "other"), TWO)
def test_two_people_stay_two(one, other):
    assert not is_same_person(one, other)


@pytest.mark.parametrize(
    "name",
    [*PEOPLE, "E", "4711", "\U0001f600 Smith", "\U0001f469\u200d\U0001f467 Fam", "=cmd()", "a/b\\c",
     "Ann (?)", "\u2764\ufe0f Ann", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "Eve Е"],
)  # fmt: skip
def test_a_subject_may_have_any_letters(name):
    assert find_subject_problem(normalise_spaces(name)) == ""


@pytest.mark.parametrize(
    ("name", "says"),
    [("???", "expected a name that contains a letter or a digit"), ("A\u200bB", "U+200B ZERO WIDTH SPACE"),
     ("\u202e.evil", "U+202E RIGHT-TO-LEFT OVERRIDE"), ("\x1b]0;x\x07", "U+001B ESCAPE"),
     ("A\u200d B", "U+200D ZERO WIDTH JOINER"), ("A\u2028B", "U+2028 LINE SEPARATOR"),
     ("\u3164", "U+3164 HANGUL FILLER"), ("A\ufe0fB", "U+FE0F VARIATION SELECTOR-16"),
     ("\u2800", "U+2800 BRAILLE PATTERN BLANK")],
)  # fmt: skip
def test_an_undisplayable_subject_is_refused_with_its_character(name, says):
    assert says in find_subject_problem(normalise_spaces(name))


@pytest.mark.parametrize(
    ("given", "kept"),
    [("Anna\u00a0Maria", "Anna Maria"), (" Anna\u3000Maria ", "Anna Maria"), ("two\r\nlines", "two  lines"),
     ("Jose\u0301", "José"), ("a\tb", "a b")],
)  # fmt: skip
def test_spaces_of_every_kind_are_spaces(given, kept):
    assert normalise_spaces(given) == kept


def test_control_characters_are_never_printed_raw():
    every = [chr(n) for n in range(0x110000)]
    acting = [c for c in every if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    for character in acting:
        assert find_text_problem(f"a{character} b") or character in "\t\n"
        escaped = escape_text(f"a{character} b")
        assert character not in escaped or character in "\t\n"
        escaped.encode()  # half a character cannot be written


@pytest.mark.parametrize("text", [*PEOPLE, "two\nlines\tof it", "50\u00a0%", "\U0001f600"])
def test_harmless_text_is_printed_unchanged(text):
    assert escape_text(text) == text
