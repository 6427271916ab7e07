"""The model of an exercise of load, without a socket: any order of events, and every flaw."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pop3check._load_maildrop import Maildrop
from pop3check._load_rules import Broken, Rule
from pop3check._load_tally import Latencies, Tally

from ._load_server import FLAWS, UNLOCKED, Server, World, mail

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once

SOME = frozenset({"a", "b"})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1 << 32),
    lock=st.booleans(),
    count=st.integers(0, 6),
    order=st.lists(st.integers(0, 7), min_size=20, max_size=400),
)
def test_correct_server_in_any_order(
    *, seed: int, lock: bool, count: int, order: list[int]
) -> None:
    """Whatever order sessions come in, a server that keeps the rules breaks none."""
    world = World(Server(lock=lock, messages=mail(count)), seed)

    broken = [found for found in played(world, order) if found is not None]

    assert broken == []


@pytest.mark.parametrize("flaw", FLAWS)
def test_flaw_is_found(flaw: str) -> None:
    """Each way in which a server can be wrong breaks the rule that is about it."""
    found = next(first_broken(flaw), None)

    assert found is not None
    assert found.rule.value in FLAWS[flaw]


def test_lock_is_demanded() -> None:
    """Two sessions at a time are counted; they break a rule only where there must be a lock."""
    counting, demanding = Maildrop(), Maildrop(exclusive=True)
    for maildrop in (counting, demanding):
        maildrop.enter(maildrop.knock(0.0))

    counting.enter(counting.knock(0.0))
    with pytest.raises(Broken) as caught:
        demanding.enter(demanding.knock(0.0))

    assert counting.overlaps == 1
    assert caught.value.rule is Rule.LOCK


def test_refusal_of_a_free_maildrop() -> None:
    """Who is refused after every session has ended is told so; after a drop there is time."""
    maildrop = Maildrop(settle=60.0)
    maildrop.leave(maildrop.knock(0.0), 1.0, closed=False)

    maildrop.refuse(maildrop.knock(60.0), "-ERR")
    maildrop.leave(next(iter(maildrop._visits)), 60.5, closed=True)

    with pytest.raises(Broken, match="every session before has ended"):
        maildrop.refuse(maildrop.knock(61.0), "-ERR")


def test_quit_under_way_is_not_judged() -> None:
    """A message whose QUIT is not answered may be there or not; once it is answered, not."""
    maildrop = Maildrop()
    maildrop.see(maildrop.knock(0.0), set(SOME))
    one, other = maildrop.knock(0.0), maildrop.knock(0.0)

    maildrop.begin_end(one, frozenset("a"))
    maildrop.see(other, {"b"})
    maildrop.see(maildrop.knock(0.0), {"a", "b"})
    maildrop.deleted(one)

    with pytest.raises(Broken, match="no message that QUIT has deleted, got a"):
        maildrop.see(maildrop.knock(0.0), {"a", "b"})


def test_others_may_delete() -> None:
    """What is missing is nobody's fault where others use the account too."""
    maildrop = Maildrop(alone=False)
    maildrop.see(maildrop.knock(0.0), set(SOME))

    maildrop.see(maildrop.knock(0.0), {"b"})

    assert maildrop.knock(0.0).present == {"b"}


def test_login_delay() -> None:
    """Logins of one account are as far apart as the server wants them."""
    maildrop = Maildrop(delay=5.0)

    waits = [maildrop.wait(now) for now in (0.0, 0.0, 1.0, 100.0)]

    assert waits == [0.0, 5.0, 9.0, 0.0]


def test_session_waits_for_its_login() -> None:
    """A session lets the delay pass that the server wants since the login before."""
    world = World(Server(lock=False, messages=mail(1)), 0, Maildrop(delay=1.0))
    world.open()
    world.open()
    first, second = world.players

    while world.players:
        world.step(0)

    assert (first.paused, second.paused) == (0.0, pytest.approx(1.0, abs=0.25))


def test_percentiles() -> None:
    """Percentiles are exact to 2 %, and the longest is exact."""
    latencies = Latencies()
    for n in range(1, 1001):
        latencies.add(n / 1000)

    found = [latencies.percentile(percent) for percent in (50, 90, 99, 100)]

    assert found == pytest.approx([0.5, 0.9, 0.99, 1.0], rel=0.021)
    assert latencies.longest == 1.0
    assert Latencies().percentile(50) == 0.0


def test_errors_are_bounded() -> None:
    """A server that says something else each time fills no memory."""
    tally = Tally()

    for n in range(1000):
        tally.failed("STAT", str(n))

    assert len(tally.errors) <= 51
    assert sum(tally.errors.values()) == 1000


def played(world: World, order: list[int]) -> Iterator[Broken | None]:
    """Let sessions begin and go on in the order that the numbers say, and then all end."""
    for number in order:
        if number == 7 or not world.players:
            world.open()
        yield world.step(number)
    while world.players:
        yield world.step(0)


def first_broken(flaw: str) -> Iterator[Broken]:
    """The rules that a flaw breaks, with several seeds one after the other."""
    for seed in range(40):
        server = Server(flaw, lock=flaw not in UNLOCKED, messages=mail(5))
        order = [Random(f"{seed}-{n}").randrange(8) for n in range(600)]
        yield from (found for found in played(World(server, seed), order) if found is not None)
