"""The registry of names that cells and tasks share."""

import dataclasses

import pytest

from lstmlab.registry import Registry


@dataclasses.dataclass(frozen=True)
class Entry:
    name: str
    cls: type
    title: str = ""


class First: ...


class Second: ...


@pytest.fixture
def registry():
    registry = Registry("motor")
    registry.add(Entry("steam", First))
    registry.add(Entry("diesel", Second))
    return registry


def test_entries_are_found_by_name_and_listed_in_the_order_of_registration(registry):
    assert registry.names() == ["steam", "diesel"]
    assert registry.entry("diesel") == Entry("diesel", Second)


def test_an_unknown_name_is_refused_with_the_closest_and_all_known_ones(registry):
    with pytest.raises(ValueError) as error:
        registry.entry("steem")
    assert str(error.value) == "unknown motor 'steem'; did you mean 'steam'? (known motors: diesel, steam)"
    with pytest.raises(ValueError, match=r"^unknown motor 'xyz' \(known motors: diesel, steam\)$"):
        registry.entry("xyz")


def test_a_name_belongs_to_one_class(registry):
    with pytest.raises(ValueError, match="a motor named 'steam' is already registered: First"):
        registry.add(Entry("steam", Second))
    assert registry.entry("steam").cls is First


def test_the_same_definition_may_run_again(registry):
    again = type("First", (), {"__qualname__": "First"})
    registry.add(Entry("steam", again, "improved"))
    assert registry.entry("steam") == Entry("steam", again, "improved")
    assert registry.names() == ["steam", "diesel"]
