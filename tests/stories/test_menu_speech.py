"""What callers hear is what was written: their recordings are transcribed."""

import asyncio

import pytest

from tests.stories.farends.callers import ENDS
from tests.stories.menus import option
from tests.stories.sentences import SENTENCES
from tests.stories.wer import distance, words

ENGLISH, ENGLISH_LIMIT = "en-US", 0.05
OTHERS, LIMIT = ("es-ES", "fr-FR", "it-IT", "de-DE", "pt-BR"), 0.25
SOME = 2  # sentences of each of the others


async def heard(menus, says, greeting, language):
    """Word errors and words of a greeting, as a caller heard it."""
    flow = await menus.flow(option("#", "hangup"), greeting=greeting, language=language, patience=160)
    caller = await menus.calls(await menus.leading_to(flow), (ENDS, "#"))
    await caller.gone(60)
    text = await says.text(caller.heard(), language)
    said = words(greeting, language)
    return distance(said, words(text, language)), len(said)


@pytest.mark.timeout(240)
async def test_the_greeting_that_is_heard_is_the_one_that_was_written(menus, says):
    english = SENTENCES[ENGLISH]
    greetings = [(ENGLISH, " ".join(english[at : at + 2])) for at in range(0, len(english), 2)]
    greetings += [(language, " ".join(SENTENCES[language][:SOME])) for language in OTHERS]
    found = await asyncio.gather(*(heard(menus, says, greeting, language) for language, greeting in greetings))
    rates = {}
    for language in (ENGLISH, *OTHERS):
        of = [each for (spoken, _), each in zip(greetings, found, strict=True) if spoken == language]
        rates[language] = sum(wrong for wrong, _ in of) / sum(count for _, count in of)
    print(rates)
    assert rates[ENGLISH] <= ENGLISH_LIMIT, rates
    assert max(rates.values()) <= LIMIT, rates
