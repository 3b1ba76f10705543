"""The keys of a stream's events, worked out again from the first key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentlogsafe.seal import fork_key, key_id, next_key, stream_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BLOCK = 1_024
_BLOCKS = 256
_STEPS = 10_000_000
_STEPS_A_CALL = 2_000
_GENERATIONS = 300


class Keyring:
    """Finds the key of any event of any stream.

    A key is a step (one SHA-256) away from the one before. Events in order cost a step each; one key in 1,024 is kept,
    so that going back costs a block of steps, once. A seq that somebody made up can be far away: steps are counted,
    and where the events read do not account for them, no key is given.

    Args:
        masters: the first keys.
        forks: of each stream that began in a forked child, the parent's stream and its last seq before the fork.
    """

    def __init__(self, masters: Iterable[bytes] = (), forks: Mapping[str, tuple[str, int]] | None = None) -> None:
        self._masters = {key_id(master): master for master in masters}
        self.forks: dict[str, tuple[str, int]] = dict(forks or {})
        self._last: dict[tuple[str, str], tuple[int, bytes]] = {}
        self._anchors: dict[tuple[str, str], list[bytes]] = {}
        self._blocks: dict[tuple[str, str, int], list[bytes]] = {}
        self._budget = _STEPS

    def __contains__(self, name: object) -> bool:
        return name in self._masters

    def __bool__(self) -> bool:
        return bool(self._masters)

    def learn(self, stream: str, parent: str, seq: int) -> None:
        """Take note that *stream* began in a child that was forked after event *seq* of *parent*."""
        if stream in self.forks:
            return
        self.forks[stream] = (parent, seq)
        for name in self._masters:  # what was worked out as if it had no parent
            self._last.pop((name, stream), None)
            for block in [of for of in self._blocks if of[:2] == (name, stream)]:
                del self._blocks[block]

    def key(self, name: str, stream: str, seq: int, generation: int = 0) -> bytes | None:
        """Return the key of event *seq* of *stream*, whose first key is called *name*; None out of reach."""
        self._budget += _STEPS_A_CALL
        of = (name, stream)
        last = self._last.get(of)
        if last is None:
            first = self._first(name, stream, generation)
            if first is None:
                return None
            self._anchors[of] = [first]
            last = self._last[of] = (1, first)
        at, key = last
        if seq < at:
            return self._back(of, seq)
        if seq - at > self._budget:
            return None
        self._budget -= seq - at
        anchors = self._anchors[of]
        while at < seq:
            key = next_key(key)
            at += 1
            if at % _BLOCK == 1:
                anchors.append(key)
        self._last[of] = (at, key)
        return key

    def _first(self, name: str, stream: str, generation: int) -> bytes | None:
        if stream not in self.forks:
            return stream_key(self._masters[name], stream)
        if generation > _GENERATIONS:
            return None  # a circle: somebody made that up
        parent, seq = self.forks[stream]
        key = self.key(name, parent, seq + 1, generation + 1)
        return None if key is None else fork_key(key, stream)

    def _back(self, of: tuple[str, str], seq: int) -> bytes:
        number, place = divmod(seq - 1, _BLOCK)
        block = self._blocks.get((*of, number))
        if block is None:
            block = [self._anchors[of][number]]
            while len(block) < _BLOCK:
                block.append(next_key(block[-1]))
            if len(self._blocks) >= _BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[(*of, number)] = block
        return block[place]
