"""Numbers as they are said in English and in German, from the rules of the languages."""

from __future__ import annotations

_ENGLISH = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_ENGLISH_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_GERMAN = [
    "null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf",
    "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn",
]  # fmt: skip
_GERMAN_TENS = ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]
MOST = 999_999


def english(number: int) -> list[str]:
    """Words from 0 to 999 999, without *and* and hyphens.

    >>> english(21_304)
    ['twenty', 'one', 'thousand', 'three', 'hundred', 'four']
    """
    thousands, rest = divmod(_checked(number), 1000)
    words = [*_english_below_1000(thousands), "thousand"] if thousands else []
    return words + _english_below_1000(rest) if rest or not words else words


def german(number: int) -> list[str]:
    """The parts of which the one word is made, from 0 to 999 999: ones come before tens, and 1 is *eins* at the end.

    >>> german(21_301)
    ['ein', 'und', 'zwanzig', 'tausend', 'drei', 'hundert', 'eins']
    """
    thousands, rest = divmod(_checked(number), 1000)
    words = [*_german_below_1000(thousands), "tausend"] if thousands else []
    words += _german_below_1000(rest) if rest or not words else []
    return [*words[:-1], "eins"] if words[-1] == "ein" else words


def _checked(number: int) -> int:
    if not 0 <= number <= MOST:
        raise ValueError(f"{number} is not between 0 and {MOST}")
    return number


def _english_below_1000(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [_ENGLISH[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        words.append(_ENGLISH_TENS[rest // 10 - 2])
        rest %= 10
        return [*words, _ENGLISH[rest]] if rest else words
    return [*words, _ENGLISH[rest]] if rest or not words else words


def _german_below_1000(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [_GERMAN[hundreds], "hundert"] if hundreds else []
    if rest >= 20:
        tens, ones = divmod(rest, 10)
        return words + ([_GERMAN[ones], "und"] if ones else []) + [_GERMAN_TENS[tens - 2]]
    return [*words, _GERMAN[rest]] if rest or not words else words
