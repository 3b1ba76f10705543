"""Threads that log through one handler take turns, and keep them in a flood."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

from agentlogsafe import _turns
from agentlogsafe._turns import Turns


def in_flood():
    """Return turns that are kept from the first one on."""
    turns = Turns()
    turns._crowd = _turns._FLOOD * 2
    turns._waited = turns._begun = time.monotonic() + 60
    return turns


def waiting(turns):
    """Start a thread that waits for its turn, and return it, and what is set when it has it."""
    has_it = threading.Event()

    def wait():
        turns.take()
        has_it.set()
        turns.give(threading.get_ident())

    thread = threading.Thread(target=wait)
    thread.start()
    while not turns._line:
        time.sleep(0.0001)
    return thread, has_it


def used_by(turns, threads, uses):
    """Have threads use their turns; return which of them did, in order."""
    order = []

    def use(who):
        for _ in range(uses):
            turns.take()
            order.append(who)
            time.sleep(0.00002)  # as a write does: other threads get as far as they can
            turns.give(threading.get_ident())

    started = [threading.Thread(target=use, args=(who,)) for who in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return order


def test_kept_in_a_flood():
    """Threads that come again and again keep their turns for many calls, and all get theirs."""
    order = used_by(Turns(), threads=4, uses=500)

    assert sorted(order) == [who for who in range(4) for _ in range(500)]
    assert sum(before != after for before, after in pairwise(order)) < len(order) / 4


def test_handed_on_otherwise(monkeypatch):
    """A thread that waits now and then is not made to wait for more than one call."""
    monkeypatch.setattr(_turns, "_KEPT", 60)
    monkeypatch.setattr(_turns, "_LONGEST", 60)
    turns = Turns()
    for _ in range(50):
        turns.take()
        thread, has_it = waiting(turns)
        turns.give(threading.get_ident())
        assert has_it.wait(30)
        thread.join()
        time.sleep(_turns._SOON)


def test_kept_by_a_thread_that_ends(monkeypatch):
    """A thread that ends hands on the turn that it has kept."""
    monkeypatch.setattr(_turns, "_KEPT", 60)
    monkeypatch.setattr(_turns, "_LONGEST", 60)
    turns = in_flood()
    taken, go = threading.Event(), threading.Event()

    def keep():
        turns.take()
        taken.set()
        go.wait(60)
        turns.give(threading.get_ident())

    first = threading.Thread(target=keep)
    first.start()
    taken.wait(60)
    second, has_it = waiting(turns)
    go.set()

    assert has_it.wait(30)
    first.join()
    second.join()


def test_kept_in_vain(monkeypatch):
    """A turn that is kept for a call that does not come is taken over, and the flood is over."""
    monkeypatch.setattr(_turns, "_LONGEST", 60)
    turns = in_flood()
    turns.take()
    thread, has_it = waiting(turns)
    turns.give(threading.get_ident())
    assert turns._holder == threading.get_ident()  # kept

    assert has_it.wait(30)
    thread.join()
    assert turns._crowd == 0


@pytest.mark.parametrize("held", [True, False], ids=["inside", "between"])
def test_bounded(monkeypatch, held):
    """Who has waited long enough goes on, with a turn or without."""
    monkeypatch.setattr(_turns, "_LONGEST", 0.05)
    turns = in_flood()
    turns.take()
    thread, has_it = waiting(turns)
    if not held:
        turns.give(threading.get_ident())

    assert has_it.wait(30)
    thread.join()
    turns.give(threading.get_ident())
    assert not turns._line
    turns.take()
    assert turns._inside
