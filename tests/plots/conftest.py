"""What the tests of figures share."""

import pytest

from lstmlab.plots import style


@pytest.fixture
def figures(monkeypatch):
    """The figures that were saved, to look into."""
    saved = []
    save = style.save

    def keep(figure, path):
        saved.append(figure)
        save(figure, path)

    monkeypatch.setattr(style, "save", keep)
    return saved
