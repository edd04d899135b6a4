"""`scripts/services up` restarts a killed server on its address with its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis
import sqlalchemy

if TYPE_CHECKING:
    from pathlib import Path


def test_a_killed_server_comes_back_on_its_address_with_its_data(own_servers: Any) -> None:
    with redis.Redis.from_url(own_servers.url("redis")) as client:
        client.set("kept", "yes")
    engine = sqlalchemy.create_engine(own_servers.url("sql"))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE kept AS SELECT 1 AS one"))
    engine.dispose()
    for name in ("redis", "sql"):
        url = own_servers.url(name)
        start_again = own_servers.kill(name)
        assert f"{name}: {url}" in start_again()
    with redis.Redis.from_url(own_servers.url("redis")) as client:
        assert client.get("kept") == b"yes"
    with engine.connect() as connection:
        assert connection.scalar(sqlalchemy.text("SELECT one FROM kept")) == 1
    engine.dispose()


def test_a_server_without_its_folder_is_started_again(own_servers: Any, tmp_path: Path) -> None:
    own_servers.url("redis")
    start_again = own_servers.kill("redis")
    for kept in (tmp_path / "servers/redis").iterdir():
        if kept.is_file():
            kept.unlink()
    assert "redis: redis://127.0.0.1:" in start_again()
