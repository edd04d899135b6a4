"""Camera leases in Redis: who is alive, who films a camera now, and under which epoch.

A process is a member as long as its heartbeats come; a camera's lease names the member that holds
it, and is free when that is dead. So a thousand leases cost one heartbeat, and what dies together
is free together. One script does each step (`leases.lua`), by the server's clock alone.

Each time a lease is taken the camera's epoch grows, so that analysis can tell frames of a holder
that does not know yet that it lost its lease from those of the next one, and discards the older.

An epoch is one more than the last, and no less than Redis' clock in milliseconds. So it grows over
a Redis that lost the last ones (flushed, evicted, or replaced by a replica that had not heard of
them), too: one that began at 1 again would have analysis discard every frame. The clocks of a Redis
and of its replicas must agree to less than a failover takes.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from redis.exceptions import RedisError

from openlfr.domain.errors import BadInput, Unavailable
from openlfr.domain.sharing import Cost, Member

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    import redis

_SCRIPT = Path(__file__).with_name("leases.lua")
_LIST_LASTS_MS = 86_400_000  # renewed with each heartbeat
_UNKNOWN = Cost(0)  # of a camera that is held by a member whose list is not known


@dataclass(frozen=True, slots=True)
class Wish:
    """A camera that a process would like to take.

    Attributes:
        epoch: That its frames are to carry; None for one that is higher than any before.
    """

    camera: str
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class View:
    """The live members and the cameras of each, read from Redis at one moment.

    Attributes:
        members: The live processes; a camera that one holds is among its cameras.
        holders: Each camera that was ever taken and not given back, and by whom; it is free where
            that is no live member.
        over: Files that were filmed to their end, and when, in ms of Redis' clock.
    """

    members: tuple[Member, ...]
    holders: Mapping[str, str] = field(repr=False)
    over: Mapping[str, int] = field(repr=False)

    @property
    def held(self) -> dict[str, str]:
        """The cameras that live members hold."""
        alive = {each.member_id for each in self.members}
        return {camera: who for camera, who in self.holders.items() if who in alive}


@dataclass(frozen=True, slots=True)
class Beat:
    """What Redis said to a heartbeat.

    Attributes:
        joined: Whether this process was no member before.
        lost: Cameras of those it named that are not its own.
        at_ms: Redis' clock.
        view: None where nothing changed since the last heartbeat.
    """

    joined: bool
    lost: tuple[str, ...]
    at_ms: int
    view: View | None


class CameraLeases:
    """The leases of one deployment's cameras, as one process sees them.

    Attributes:
        member_id: This process's.
    """

    def __init__(self, client: redis.Redis, deployment: str, *, ttl: timedelta) -> None:
        """Connects when first used.

        Args:
            client: Closed by `close`.
            deployment: Whose cameras.
            ttl: How long after its last heartbeat a process counts as dead.
        """
        self.member_id = str(uuid.uuid4())
        self.ttl = ttl
        self._client = client
        self._tag = f"openlfr:{{{quote(deployment, safe='')}}}"
        shared = ("members", "facts", "holders", "over", "version")
        self._keys = [f"{self._tag}:lease::{name}" for name in shared]  # no camera's name has `:`
        self._step = client.register_script(_SCRIPT.read_text(encoding="utf-8"))
        self._version = ""  # that was seen whole
        self._listed = ""  # digest of the list that this process has put there
        self._lists: dict[str, dict[str, Cost]] = {}  # by digest

    def beat(
        self,
        cameras: Mapping[str, Cost],
        held: Sequence[str],
        *,
        room: int,
        leaving: bool = False,
    ) -> Beat:
        """Stay a member, or become one.

        Args:
            cameras: What this process can film.
            held: The cameras that it believes to hold.
            room: How many it films at most.
            leaving: It takes nothing more.

        Raises:
            Unavailable: Redis does not answer.
        """
        text = json.dumps([[*_row(name, cost)] for name, cost in sorted(cameras.items())])
        digest = blake2b(text.encode(), digest_size=12).hexdigest()
        self._lists[digest] = dict(cameras)
        if digest != self._listed:  # before anybody reads that it is ours
            self._put_list(digest, text)
        facts = json.dumps([room, int(leaving), digest])
        answer = self._ask(
            "beat",
            [str(round(self.ttl.total_seconds() * 1000)), facts, self._version, *held],
            self._list_key(digest),
        )
        joined, list_missing, lost, version, at_ms, *everything = answer
        if list_missing:
            self._put_list(digest, text)
        view = None
        if everything:
            view, whole = self._view(*map(_pairs, everything))
            self._version = _text(version) if whole else ""
        return Beat(bool(joined), tuple(held[number] for number in lost), int(at_ms), view)

    def take(self, wishes: Sequence[Wish]) -> dict[str, int | BadInput]:
        """Take what is free of these, and go on holding what is this process's own.

        Returns:
            The epoch of each that was taken. A `BadInput` where the camera has had a higher epoch
            than the one asked for.

        Raises:
            Unavailable: Redis does not answer.
        """
        if not wishes:
            return {}
        args = [
            part
            for each in wishes
            for part in (each.camera, "" if each.epoch is None else str(each.epoch))
        ]
        answers = self._ask("take", args, *(self._epoch_key(each.camera) for each in wishes))
        found: dict[str, int | BadInput] = {}
        for wish, answer in zip(wishes, map(_text, answers), strict=True):
            if answer.startswith("over "):
                found[wish.camera] = BadInput(
                    f"Camera {wish.camera}: epoch {wish.epoch} is over, its last one was"
                    f" {answer[5:]}, and analysis discards frames of an older one: give that or a"
                    " higher one, or none."
                )
            elif answer != "held":
                found[wish.camera] = int(answer)
        return found

    def advance(self, camera: str) -> int | None:
        """The epoch of another connection to a camera of this process; None if that is lost.

        Raises:
            Unavailable: Redis does not answer.
        """
        answer = self._ask("advance", [camera], self._epoch_key(camera))
        return None if answer is None else int(answer)

    def give_back(self, camera: str, *, over: bool = False) -> None:
        """Free a camera of this process; one that is somebody else's is left alone.

        Args:
            camera: Its name.
            over: It was filmed to its end: no process that runs now is to begin it again.

        Raises:
            Unavailable: Redis does not answer.
        """
        self._ask("give_back", [camera, "1" if over else ""])

    def leave(self) -> None:
        """Be no member any more; every camera of this process is free at once.

        Raises:
            Unavailable: Redis does not answer.
        """
        self._ask("leave", [])

    def close(self) -> None:
        """Free the connection."""
        self._client.close()

    def _view(
        self, facts: dict[str, str], holders: dict[str, str], over: dict[str, str]
    ) -> tuple[View, bool]:
        """What Redis said, and whether every member's list could be read."""
        said = {who: json.loads(text) for who, text in facts.items()}
        digests = {digest for _, _, digest in said.values()}
        self._read_lists(digests)
        members = []
        for who, (room, leaving, digest) in sorted(said.items()):
            held = {camera: _UNKNOWN for camera, holder in holders.items() if holder == who}
            cameras = held | self._lists.get(digest, {})
            members.append(Member(who, int(room), cameras, leaving=bool(leaving)))
        view = View(tuple(members), holders, {name: int(at) for name, at in over.items()})
        return view, digests <= set(self._lists)

    def _put_list(self, digest: str, text: str) -> None:
        self._say(lambda: self._client.set(self._list_key(digest), text, px=_LIST_LASTS_MS))
        self._listed = digest

    def _read_lists(self, digests: set[str]) -> None:
        """Read the lists that are not known yet, and forget those that nobody has any more."""
        self._lists = {digest: each for digest, each in self._lists.items() if digest in digests}
        if not (unknown := sorted(digests - set(self._lists))):
            return
        texts = self._say(lambda: self._client.mget([self._list_key(each) for each in unknown]))
        for digest, text in zip(unknown, texts, strict=True):
            if text is not None:
                rows = json.loads(text)
                self._lists[digest] = {name: Cost(n, bool(movable)) for name, n, movable in rows}

    def _list_key(self, digest: str) -> str:
        return f"{self._tag}:lease::list:{digest}"

    def _epoch_key(self, camera: str) -> str:
        return f"{self._tag}:epoch:{quote(camera, safe='')}"

    def _ask(self, step: str, args: list[str], *keys: str) -> Any:
        return self._say(
            lambda: self._step(keys=[*self._keys, *keys], args=[step, self.member_id, *args])
        )

    def _say(self, command: Any) -> Any:
        try:
            return command()
        except (RedisError, OSError) as error:
            raise Unavailable(
                f"The leases of cameras in Redis cannot be read or written ({error}): check that "
                "it runs."
            ) from error


def _row(name: str, cost: Cost) -> tuple[str, int, int]:
    return name, cost.millicores, int(cost.movable)


def _pairs(flat: Sequence[Any]) -> dict[str, str]:
    texts = [_text(each) for each in flat]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
