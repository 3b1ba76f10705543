"""Whose turn it is among threads that log through one handler.

Threads that all want a target at once keep each other from the interpreter: a write lets go of it, another thread gets
as far as the target's lock, and sleeps, so that each event costs a switch of threads. Of the events per second of one
thread, eight had 0.41 with bare logging, and 0.64 with a turn for each event. In such a flood a thread keeps its turn
for some milliseconds, and hands it to the one that has waited longest: 0.75 to 0.86 with 8 ms, 0.85 to 0.92 with 12, on
two cores of one machine, and 0.94 to 0.97 with both on those of a newer one (what is left is a cold cache after each
switch).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress

_LONGEST = 0.15  # seconds that a call waits for those before it
_KEPT = 0.012  # seconds that a turn lasts while others wait for it
_GRACE = 0.001  # seconds after which a turn that should have been handed on is taken over
_FLOOD = 16  # waits for a turn, each soon after the one before, that make a flood
_SOON = 0.001  # seconds


class Turns:
    """One thread's turn at a time, for speed and not for order.

    Who has waited long enough goes on without one. So no thread can wait for itself, nor for one that is gone; and that
    two may think that it is their turn does no harm. That is why there is no lock around any of this.
    """

    __slots__ = ("_begun", "_crowd", "_ends", "_holder", "_inside", "_line", "_waited")

    def __init__(self) -> None:
        self._holder = 0
        self._inside = False
        self._line: deque[tuple[int, threading.Lock]] = deque()
        self._crowd = 0
        self._begun = self._waited = 0.0
        self._ends = threading.local()

    def take(self) -> int:
        """Wait for a turn, if one can be had in time; return what `give` asks for, this thread's id."""
        me = threading.get_ident()
        holder = self._holder
        if holder == 0 or holder == me or self._comes(me):  # noqa: PLR1714 -- a tuple would be made for it
            self._holder = me
            self._inside = True
        return me

    def give(self, me: int) -> None:
        """End the turn that `take` may have got, or keep it for this thread's next call."""
        if self._holder != me:
            return
        self._inside = False
        if not self._line:
            self._holder = 0
            if not self._line:  # who comes from now on sees that it is nobody's turn
                return
        now = time.monotonic()
        if self._crowd > _FLOOD and now - self._begun < _KEPT:
            self._holder, self._waited = me, now
            if not hasattr(self._ends, "hook"):
                self._ends.hook = _AtEnd(self, me)
            return
        self._begun = now
        self._hand_on()

    def leave(self, thread: int) -> None:
        """Hand on the turn that a thread has kept which will not call again."""
        if self._holder == thread and not self._inside:
            self._hand_on()

    def _hand_on(self) -> None:
        try:
            self._holder, turn = self._line.popleft()
        except IndexError:  # who waited has gone on without
            self._holder = 0
        else:
            turn.release()

    def _comes(self, me: int) -> bool:
        """Wait; return whether it is the turn of this thread."""
        now = time.monotonic()
        self._crowd = self._crowd + 1 if now - self._waited < _SOON else 0
        self._waited = now
        until = now + _LONGEST
        turn = threading.Lock()
        turn.acquire()
        place = me, turn
        self._line.append(place)
        try:
            while self._holder != 0 and now < until:
                # To look while another thread works costs that one 0.2 ms: not before its turn should be over.
                if turn.acquire(True, min(len(self._line) * (_KEPT + _GRACE), until - now)):
                    return True
                if not self._inside:
                    self._crowd = 0  # it was kept for a call that does not come
                    return True
                now = time.monotonic()
            return self._holder == 0
        finally:
            with suppress(ValueError):  # it has been this one's turn
                self._line.remove(place)


class _AtEnd:
    """What a thread holds in a `threading.local`, which lets go of it when the thread ends."""

    __slots__ = ("_thread", "_turns")

    def __init__(self, turns: Turns, thread: int) -> None:
        self._turns, self._thread = turns, thread

    def __del__(self) -> None:
        self._turns.leave(self._thread)
