"""Bad arguments are refused in one line that says what is wrong."""

import pytest


def refused(call, *words, error=ValueError):
    """``call()`` raises an error of one line that holds all of these words."""
    with pytest.raises(error) as raised:
        call()
    message = str(raised.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message
