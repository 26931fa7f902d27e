"""Every architecture says itself whether it can be fed step by step, and which options are its own."""

import dataclasses

import pytest
from small_runs import small

from lstmlab.config import ConfigError
from lstmlab.models import ARCHITECTURES
from lstmlab.training import Trained
from lstmlab.training.trained import model_template

WHOLE = {
    "sequence": (["chorales"], ""),
    "both directions": (["tagging", "model.bidirectional=true"], "a bidirectional model needs the whole sequence"),
    "recursive": (["forecast", "task.strategy=recursive"], "a recursive model needs the whole window"),
    "encoder_forecaster": (["sea_surface", "task.forecast=encoder_forecaster"], "needs the whole sequence"),
    "encoder_decoder": (["pronunciation"], "an encoder-decoder needs whole sources: use decode"),
}


def untrained(*choices, directory=None):
    config = small(*choices)
    return Trained(model_template(config), config, directory, {})


def test_all_architectures_are_below():
    assert set(ARCHITECTURES) <= set(WHOLE)


@pytest.mark.parametrize("choices, reason", WHOLE.values(), ids=WHOLE)
def test_a_model_that_needs_whole_sequences_says_so(choices, reason, tmp_path):
    trained = untrained(*choices, directory=tmp_path)
    assert reason in trained.model.whole_sequence_reason
    assert trained.stepwise == (not reason)
    if reason:
        with pytest.raises(ValueError, match=reason):
            trained.step(0)


def test_an_answer_for_the_whole_sequence_alone_continues_nothing():
    trained = untrained("sentiment")
    assert not trained.model.whole_sequence_reason
    assert not trained.stepwise
    with pytest.raises(ValueError, match="task sentiment has no tokens to generate"):
        trained.generate([1, 2], 3)


def test_tags_are_no_words_to_go_on_with():
    with pytest.raises(ValueError, match="task tagging has no tokens to generate"):
        untrained("tagging").generate([1, 2], 3)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_own_options_are_keys_of_the_section_model(name):
    choices, _ = WHOLE[name]
    keys = {field.name for field in dataclasses.fields(type(small(*choices).model))}
    assert set(ARCHITECTURES[name].extra_settings) <= keys


def test_an_option_of_another_architecture_is_refused():
    with pytest.raises(ConfigError, match=r"model\.attention is 'dot', but task adding has no decoder"):
        small("adding", "model.attention=dot")
