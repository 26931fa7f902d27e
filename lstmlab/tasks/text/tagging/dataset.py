"""Part of the Brown corpus as sentences of words, each with its universal part of speech; embedded."""

from __future__ import annotations

import bz2
import functools
import re
from typing import NamedTuple

from lstmlab.data.resources import embedded_path

TAGS = ("NOUN", "VERB", "ADJ", "ADV", "PRON", "DET", "ADP", "NUM", "CONJ", "PRT", ".", "X")
"""The universal parts of speech of Petrov, Das & McDonald 2012."""
LETTERS = "NVARPDEUCT.X"
"""One per tag, as the embedded file writes them."""

_BROWN = {
    "NOUN": "nn nn$ nns nns$ np np$ nps nps$ nr nr$ nrs",
    "VERB": "vb vbd vbg vbn vbz be bed bedz beg bem ben ber bez do dod doz hv hvd hvg hvn hvz md",
    "ADJ": "jj jj$ jjr jjs jjt ap ap$ od",
    "ADV": "rb rb$ rbr rbt rn ql qlp wrb wql *",
    "PRON": "pn pn$ pp$$ ppl ppls ppo pps ppss wpo wps ex",
    "DET": "at dt dt$ dti dts dtx abl abn abx pp$ wdt wp$",
    "ADP": "in cs",
    "NUM": "cd cd$",
    "CONJ": "cc",
    "PRT": "rp to",
    ".": ". , : -- ( ) ' `` ''",
    "X": "uh nil",
}
_UNIVERSAL = {brown: tag for tag, names in _BROWN.items() for brown in names.split()}


class Sentence(NamedTuple):
    """Words and their tags, one each."""

    words: tuple[str, ...]
    tags: tuple[int, ...]
    """indices into :data:`TAGS`"""


def universal(tag: str) -> str:
    """The universal tag of one of the Brown corpus.

    * ``-tl``, ``-hl``, ``-nc`` (words of titles, of headlines, cited words) do not change it;
    * a foreign word (``fw-``) is X;
    * a contraction has the tag of its first part: *it's* (``pps+bez``) is PRON, *didn't* (``dod*``) VERB.

    The table differs from Petrov, Das and McDonald's for Brown in a few small classes, where theirs follows the tag set
    and not the words: *all*, *half*, *quite a* (``abn``, ``abl``) are DET and existential *there* (``ex``) PRON, not
    PRT; interjections are X.

    Raises:
        KeyError: no tag of the corpus.
    """
    if tag.startswith("fw-"):
        return "X"
    plain = re.sub(r"-(tl|hl|nc|t|n)\b.*", "", tag.lower()).split("+")[0]
    return _UNIVERSAL[plain if plain in _UNIVERSAL else plain.rstrip("*")]


@functools.cache
def load_brown() -> dict[str, tuple[Sentence, ...]]:
    """The embedded documents: name (``ca01`` …) → sentences, in the corpus's order.

    250 of its 500 documents: every second one, so that all 15 categories keep their shares; 580 thousand words.

    Raises:
        DataError: the installation lacks the file.
    """
    text = bz2.decompress(embedded_path("brown.txt.bz2").read_bytes()).decode("ascii")
    documents = {}
    for part in text.split("\n\n"):
        name, *lines = part.strip().split("\n")
        documents[name] = tuple(
            Sentence(tuple(words.split(" ")), tuple(map(LETTERS.index, tags)))
            for words, tags in zip(lines[::2], lines[1::2], strict=True)
        )
    return documents
