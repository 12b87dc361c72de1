"""Who may do what in Redis: the consumer changes its own keys, students read, nobody else gets in."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from labkit.stack import Stack
from tests.integration.stream_consumer.redis_state import RedisState, redis_url
from tests.integration.stream_consumer.streams import START, Reader, Stream

Command = Callable[[Any], object]

DESTRUCTIVE: dict[str, Command] = {
    "flushall": lambda client: client.flushall(),
    "flushdb": lambda client: client.flushdb(),
    "shutdown": lambda client: client.execute_command("SHUTDOWN", "NOSAVE"),
    "config get": lambda client: client.config_get("*"),
    "config set": lambda client: client.config_set("appendonly", "no"),
    "acl list": lambda client: client.acl_list(),
    "acl setuser": lambda client: client.execute_command("ACL", "SETUSER", "mallory", "on"),
    "keys": lambda client: client.keys("*"),
    "monitor": lambda client: client.execute_command("MONITOR"),
    "replicaof": lambda client: client.execute_command("REPLICAOF", "NO", "ONE"),
    "client kill": lambda client: client.execute_command("CLIENT", "KILL", "TYPE", "normal"),
    "module list": lambda client: client.execute_command("MODULE", "LIST"),
    "swapdb": lambda client: client.execute_command("SWAPDB", "0", "1"),
    "publish": lambda client: client.publish("channel", "text"),
}
WRITES: dict[str, Command] = {
    "set": lambda client: client.set("image:1:total_views", 9),
    "incr": lambda client: client.incr("image:1:total_views"),
    "del": lambda client: client.delete("stream:offsets"),
    "unlink": lambda client: client.unlink("stream:offsets"),
    "hset": lambda client: client.hset("stream:offsets", "gourmetgram.views/0", 9),
    "zadd": lambda client: client.zadd("image:1:views", {"x": 1}),
    "zrem": lambda client: client.zrem("stream:owed", "x"),
    "expire": lambda client: client.expire("stream:offsets", 1),
    "rename": lambda client: client.rename("stream:offsets", "stream:other"),
    "copy": lambda client: client.copy("stream:offsets", "stream:other"),
    "eval": lambda client: client.eval("return redis.call('SET', 'image:1:total_views', 1)", 0),
    "eval read only": lambda client: client.execute_command("EVAL_RO", "return 1", 0),
    "function load": lambda client: client.execute_command("FUNCTION", "LOAD", "#!lua name=x\n"),
    "script flush": lambda client: client.script_flush(),
}
FOREIGN: dict[str, Command] = {
    "set": lambda client: client.set("other", 1),
    "get": lambda client: client.get("other"),
    "eval": lambda client: client.eval("return redis.call('SET', 'other', 1)", 0),
    "rename": lambda client: client.rename("stream:offsets", "other"),
}


@pytest.fixture
def filled(redis_state: RedisState) -> RedisState:
    stream = Stream()
    stream.add("upload", 1)
    stream.add("view", 1)
    Reader(stream, redis_state.store()).read_all(START)
    return redis_state


@pytest.fixture
def nobody(redis_stack: Stack) -> Iterator[Any]:
    host, port = redis_stack.address("redis").split(":")
    with redis.Redis(host=host, port=int(port), protocol=2, driver_info=None, retry=Retry(NoBackoff(), 0)) as client:
        yield client


@pytest.mark.parametrize("name", DESTRUCTIVE | WRITES)
def test_a_student_changes_nothing(filled: RedisState, name: str) -> None:
    before = filled.everything()
    with pytest.raises(redis.exceptions.NoPermissionError):
        (DESTRUCTIVE | WRITES)[name](filled.student)
    assert filled.everything() == before


def test_a_student_reads_everything(filled: RedisState) -> None:
    state = filled.everything()
    assert {"image:1:metadata", "image:1:views", "image:1:total_views", "stream:offsets", "moderation:due:1"} <= set(
        state
    )
    student: Any = filled.student
    assert student.zcount("image:1:views", "-inf", "+inf") == 1
    assert student.zrange("image:1:views", 0, -1, withscores=True)
    assert student.ttl("image:1:views") > 0
    assert student.memory_usage("image:1:views") > 0
    assert student.info("server")["redis_version"]
    assert student.dbsize() == len(state)


@pytest.mark.parametrize("name", DESTRUCTIVE)
def test_the_consumer_does_not_administer(filled: RedisState, name: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        DESTRUCTIVE[name](filled.consumer)


@pytest.mark.parametrize("name", FOREIGN)
def test_the_consumer_touches_its_own_keys_only(filled: RedisState, name: str) -> None:
    with pytest.raises(
        (redis.exceptions.NoPermissionError, redis.exceptions.ResponseError), match=r"(?i)permission|NOPERM|ACL"
    ):
        FOREIGN[name](filled.consumer)


@pytest.mark.parametrize("command", ["PING", "GET x", "SET x 1", "INFO", "ACL WHOAMI", "EVAL return 0"])
def test_without_a_login_nothing_is_answered(nobody: Any, command: str) -> None:
    with pytest.raises(redis.exceptions.AuthenticationError, match="Authentication required"):
        nobody.execute_command(*command.split())


@pytest.mark.parametrize("user", ["default", "stream_consumer", "student", "root"])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_no_user_has_an_empty_or_a_guessed_password(nobody: Any, user: str, password: str) -> None:
    with pytest.raises(redis.exceptions.AuthenticationError, match="invalid username-password"):
        nobody.execute_command("AUTH", user, password)


def test_the_users_do_not_share_a_password(redis_stack: Stack) -> None:
    url = redis_url(redis_stack, "stream_consumer", "REDIS_STUDENT_PASSWORD")
    with (
        redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as client,
        pytest.raises(redis.exceptions.AuthenticationError),
    ):
        client.ping()
