"""Camera leases in Redis: the process that films each camera, and the epoch of its frames.

A process is a member as long as its heartbeats arrive. A camera's lease names a member, and the
camera is free when that member is dead. So one heartbeat renews a thousand leases, and all cameras
of a dead process become free at once. Each step is one atomic script (`leases.lua`), which uses
only the server's clock.

The camera's epoch grows with each lease. A process that has lost a lease without noticing continues
with the old epoch, and analysis discards its frames.

An epoch is at least the last epoch plus one, and at least Redis' clock in milliseconds. So epochs
grow even if Redis lost the last epochs (flushed, evicted, or replaced by a replica that lagged). If
epochs restarted at 1, analysis would discard every frame. The clocks of a Redis and of its replicas
must agree to less than the duration of a failover.
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
_UNKNOWN = Cost(0)  # cost of a camera whose member's camera list is unknown


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """A request for the lease of one camera.

    Attributes:
        epoch: Epoch of the camera's frames; None for an epoch above all earlier epochs.
    """

    camera: str
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class FleetView:
    """The live members and their cameras, read from Redis at one moment.

    Attributes:
        members: The live processes. A member's cameras include the cameras that it has leased.
        holders: The member that last leased each camera. Released cameras are left out, and a
            camera is free if its member is dead.
        finished_files: Files filmed to their end, each with the time in ms of Redis' clock.
    """

    members: tuple[Member, ...]
    holders: Mapping[str, str] = field(repr=False)
    finished_files: Mapping[str, int] = field(repr=False)

    @property
    def live_holders(self) -> dict[str, str]:
        """The leased cameras, each with its live member."""
        alive = {each.member_id for each in self.members}
        return {camera: who for camera, who in self.holders.items() if who in alive}


@dataclass(frozen=True, slots=True)
class HeartbeatResult:
    """Redis' reply to a heartbeat.

    Attributes:
        joined: Whether this process was not a member before.
        lost: Cameras of the heartbeat's `held` whose lease this process no longer has.
        at_ms: Redis' clock in ms.
        view: The present fleet; None if nothing has changed since the last heartbeat.
    """

    joined: bool
    lost: tuple[str, ...]
    at_ms: int
    view: FleetView | None


class CameraLeases:
    """One process's access to the leases of a deployment's cameras.

    Attributes:
        member_id: Id of this process among the members.
    """

    def __init__(self, client: redis.Redis, deployment: str, *, ttl: timedelta) -> None:
        """Create a client; it connects on first use.

        Args:
            client: A Redis client, closed by `close`.
            deployment: Id of the deployment with the cameras.
            ttl: Time without a heartbeat after which a process counts as dead.
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
        """Become or remain a member.

        Args:
            cameras: Cameras that this process can film.
            held: Cameras that this process has leased, as far as it knows.
            room: Maximum number of cameras that this process films.
            leaving: Whether this process leases no more cameras.

        Raises:
            Unavailable: Redis does not answer.
        """
        text = json.dumps([[*_row(name, cost)] for name, cost in sorted(cameras.items())])
        digest = blake2b(text.encode(), digest_size=12).hexdigest()
        self._lists[digest] = dict(cameras)
        if digest != self._listed:  # stored before any other process reads this digest
            self._put_list(digest, text)
        facts = json.dumps([room, int(leaving), digest])
        reply = self._call(
            "heartbeat",
            [str(round(self.ttl.total_seconds() * 1000)), facts, self._version, *held],
            self._list_key(digest),
        )
        joined, list_missing, lost, version, at_ms, *fleet = reply
        if list_missing:
            self._put_list(digest, text)
        view = None
        if fleet:
            view, is_complete = self._parse_view(*map(_parse_pairs, fleet))
            self._version = _text(version) if is_complete else ""
        return HeartbeatResult(
            bool(joined), tuple(held[number] for number in lost), int(at_ms), view
        )

    def acquire(self, requests: Sequence[LeaseRequest]) -> dict[str, int | BadInput]:
        """Lease the free cameras among these; this process's own leases are renewed.

        Returns:
            The epoch of each leased camera, or a `BadInput` for a camera that has had a higher
            epoch than the requested epoch. Cameras of other members are left out.

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
        replies = self._call("acquire", args, *(self._epoch_key(each.camera) for each in requests))
        results: dict[str, int | BadInput] = {}
        for request, reply in zip(requests, map(_text, replies), strict=True):
            if reply.startswith("over "):
                results[request.camera] = BadInput(
                    f"Camera {request.camera}: epoch {request.epoch} is over, since epoch"
                    f" {reply[5:]} has begun, and analysis discards frames of earlier epochs."
                    " Configure that epoch, a higher one, or none."
                )
            elif reply != "held":
                results[request.camera] = int(reply)
        return results

    def next_epoch(self, camera: str) -> int | None:
        """Return a new epoch for a connection to a camera; None if this process lost the lease.

        Raises:
            Unavailable: Redis does not answer.
        """
        reply = self._call("next_epoch", [camera], self._epoch_key(camera))
        return None if reply is None else int(reply)

    def release(self, camera: str, *, is_finished: bool = False) -> None:
        """Release the lease of a camera; do nothing if another process has leased it.

        Args:
            camera: Name of the camera.
            is_finished: Whether the camera is a file that was filmed to its end. The processes that
                run now do not film it again.

        Raises:
            Unavailable: Redis does not answer.
        """
        self._call("release", [camera, "1" if is_finished else ""])

    def leave(self) -> None:
        """End this process's membership and release its cameras.

        Raises:
            Unavailable: Redis does not answer.
        """
        self._call("leave", [])

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _parse_view(
        self, facts: dict[str, str], holders: dict[str, str], finished_files: dict[str, str]
    ) -> tuple[FleetView, bool]:
        """Return the fleet, and whether every member's camera list could be read."""
        parsed = {who: json.loads(text) for who, text in facts.items()}
        digests = {digest for _, _, digest in parsed.values()}
        self._read_lists(digests)
        members = []
        for who, (room, leaving, digest) in sorted(parsed.items()):
            held = {camera: _UNKNOWN for camera, holder in holders.items() if holder == who}
            cameras = held | self._lists.get(digest, {})
            members.append(Member(who, int(room), cameras, leaving=bool(leaving)))
        view = FleetView(
            tuple(members), holders, {name: int(at_ms) for name, at_ms in finished_files.items()}
        )
        return view, digests <= set(self._lists)

    def _put_list(self, digest: str, text: str) -> None:
        self._send(lambda: self._client.set(self._list_key(digest), text, px=_LIST_TTL_MS))
        self._listed = digest

    def _read_lists(self, digests: set[str]) -> None:
        """Read the camera lists with new digests, and drop lists that no member uses any more."""
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
                "Redis runs."
            ) from error


def _row(name: str, cost: Cost) -> tuple[str, int, int]:
    return name, cost.millicores, int(cost.movable)


def _parse_pairs(flat: Sequence[Any]) -> dict[str, str]:
    texts = [_text(each) for each in flat]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
