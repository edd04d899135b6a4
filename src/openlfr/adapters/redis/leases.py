"""Camera leases in Redis: which process films a camera now, and under which epoch.

A process is a member as long as its heartbeats come. A camera's lease names its member, and is free
when that member is dead. So a thousand leases cost one heartbeat, and all cameras of a dead process
are free at once. Each step is one script (`leases.lua`), by the server's clock alone.

The camera's epoch grows with each lease. A process that does not know yet that it lost its lease
goes on with the old epoch, and analysis discards its frames.

An epoch is one more than the last, and no less than Redis' clock in milliseconds. So epochs also
grow over a Redis that lost the last ones (flushed, evicted, or replaced by a replica that lagged).
An epoch that began at 1 again would have analysis discard every frame. The clocks of a Redis and of
its replicas must agree to less than a failover takes.
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
_LIST_TTL_MS = 86_400_000  # renewed with each heartbeat
_UNKNOWN = Cost(0)  # cost of a camera whose member's list is not known


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """A request for the lease of one camera.

    Attributes:
        epoch: Epoch of the camera's frames; None for one higher than any before.
    """

    camera: str
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class FleetView:
    """The live members and their cameras, read from Redis at one moment.

    Attributes:
        members: The live processes; a camera whose lease one has is among its cameras.
        holders: The member that last took each camera not released since; the camera is free if
            that member is dead.
        over: Files filmed to their end, and when, in ms of Redis' clock.
    """

    members: tuple[Member, ...]
    holders: Mapping[str, str] = field(repr=False)
    over: Mapping[str, int] = field(repr=False)

    @property
    def held(self) -> dict[str, str]:
        """The leased cameras, each with its live member."""
        alive = {each.member_id for each in self.members}
        return {camera: who for camera, who in self.holders.items() if who in alive}


@dataclass(frozen=True, slots=True)
class HeartbeatResult:
    """Redis' answer to a heartbeat.

    Attributes:
        joined: Whether this process was no member before.
        lost: Cameras that this process believed to hold and does not.
        at_ms: Redis' clock in ms.
        view: The present fleet; None where nothing changed since the last heartbeat.
    """

    joined: bool
    lost: tuple[str, ...]
    at_ms: int
    view: FleetView | None


class CameraLeases:
    """The leases of one deployment's cameras, as one process sees them.

    Attributes:
        member_id: Id of this process among the members.
    """

    def __init__(self, client: redis.Redis, deployment: str, *, ttl: timedelta) -> None:
        """Create a client; it connects on first use.

        Args:
            client: A Redis client, closed by `close`.
            deployment: Id of the deployment with the cameras.
            ttl: Time after its last heartbeat until a process counts as dead.
        """
        self.member_id = str(uuid.uuid4())
        self.ttl = ttl
        self._client = client
        self._tag = f"openlfr:{{{quote(deployment, safe='')}}}"
        shared = ("members", "facts", "holders", "over", "version")
        self._keys = [f"{self._tag}:lease::{name}" for name in shared]  # no camera's name has `:`
        self._script = client.register_script(_SCRIPT.read_text(encoding="utf-8"))
        self._version = ""  # version of the last complete view
        self._listed = ""  # digest of the camera list that this process has stored in Redis
        self._lists: dict[str, dict[str, Cost]] = {}  # camera lists by digest

    def heartbeat(
        self,
        cameras: Mapping[str, Cost],
        held: Sequence[str],
        *,
        room: int,
        leaving: bool = False,
    ) -> HeartbeatResult:
        """Stay a member, or become one.

        Args:
            cameras: Cameras that this process can film.
            held: Cameras that this process believes to hold.
            room: Largest number of cameras that it films.
            leaving: Whether it takes no more cameras.

        Raises:
            Unavailable: Redis does not answer.
        """
        text = json.dumps([[*_row(name, cost)] for name, cost in sorted(cameras.items())])
        digest = blake2b(text.encode(), digest_size=12).hexdigest()
        self._lists[digest] = dict(cameras)
        if digest != self._listed:  # stored before any other process reads this digest
            self._put_list(digest, text)
        facts = json.dumps([room, int(leaving), digest])
        answer = self._call(
            "beat",
            [str(round(self.ttl.total_seconds() * 1000)), facts, self._version, *held],
            self._list_key(digest),
        )
        joined, list_missing, lost, version, at_ms, *fleet = answer
        if list_missing:
            self._put_list(digest, text)
        view = None
        if fleet:
            view, is_complete = self._view(*map(_pairs, fleet))
            self._version = _text(version) if is_complete else ""
        return HeartbeatResult(
            bool(joined), tuple(held[number] for number in lost), int(at_ms), view
        )

    def acquire(self, requests: Sequence[LeaseRequest]) -> dict[str, int | BadInput]:
        """Take the free cameras among these; leases of this process's own stay.

        Returns:
            The epoch of each camera that was taken; a `BadInput` where the camera has had a higher
            epoch than the requested one.

        Raises:
            Unavailable: Redis does not answer.
        """
        if not requests:
            return {}
        args = [
            part
            for each in requests
            for part in (each.camera, "" if each.epoch is None else str(each.epoch))
        ]
        answers = self._call("take", args, *(self._epoch_key(each.camera) for each in requests))
        results: dict[str, int | BadInput] = {}
        for request, answer in zip(requests, map(_text, answers), strict=True):
            if answer.startswith("over "):
                results[request.camera] = BadInput(
                    f"Camera {request.camera}: epoch {request.epoch} is over, its last one was"
                    f" {answer[5:]}, and analysis discards frames of an older one: give that or a"
                    " higher one, or none."
                )
            elif answer != "held":
                results[request.camera] = int(answer)
        return results

    def next_epoch(self, camera: str) -> int | None:
        """The epoch of a new connection to a camera; None if this process lost the lease.

        Raises:
            Unavailable: Redis does not answer.
        """
        answer = self._call("advance", [camera], self._epoch_key(camera))
        return None if answer is None else int(answer)

    def release(self, camera: str, *, over: bool = False) -> None:
        """Free a camera of this process; another process's camera is left alone.

        Args:
            camera: Name of the camera.
            over: Whether it is a file that was filmed to its end; no process that runs now begins
                it again.

        Raises:
            Unavailable: Redis does not answer.
        """
        self._call("give_back", [camera, "1" if over else ""])

    def leave(self) -> None:
        """Stop being a member; every camera of this process is free at once.

        Raises:
            Unavailable: Redis does not answer.
        """
        self._call("leave", [])

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _view(
        self, facts: dict[str, str], holders: dict[str, str], over: dict[str, str]
    ) -> tuple[FleetView, bool]:
        """The fleet in Redis, and whether every member's list could be read."""
        parsed = {who: json.loads(text) for who, text in facts.items()}
        digests = {digest for _, _, digest in parsed.values()}
        self._read_lists(digests)
        members = []
        for who, (room, leaving, digest) in sorted(parsed.items()):
            held = {camera: _UNKNOWN for camera, holder in holders.items() if holder == who}
            cameras = held | self._lists.get(digest, {})
            members.append(Member(who, int(room), cameras, leaving=bool(leaving)))
        view = FleetView(tuple(members), holders, {name: int(at) for name, at in over.items()})
        return view, digests <= set(self._lists)

    def _put_list(self, digest: str, text: str) -> None:
        self._send(lambda: self._client.set(self._list_key(digest), text, px=_LIST_TTL_MS))
        self._listed = digest

    def _read_lists(self, digests: set[str]) -> None:
        """Read the lists that are not known yet, and drop those that no member uses any more."""
        self._lists = {digest: each for digest, each in self._lists.items() if digest in digests}
        if not (unknown := sorted(digests - set(self._lists))):
            return
        texts = self._send(lambda: self._client.mget([self._list_key(each) for each in unknown]))
        for digest, text in zip(unknown, texts, strict=True):
            if text is not None:
                rows = json.loads(text)
                self._lists[digest] = {name: Cost(n, bool(movable)) for name, n, movable in rows}

    def _list_key(self, digest: str) -> str:
        return f"{self._tag}:lease::list:{digest}"

    def _epoch_key(self, camera: str) -> str:
        return f"{self._tag}:epoch:{quote(camera, safe='')}"

    def _call(self, step: str, args: list[str], *keys: str) -> Any:
        return self._send(
            lambda: self._script(keys=[*self._keys, *keys], args=[step, self.member_id, *args])
        )

    def _send(self, command: Any) -> Any:
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
