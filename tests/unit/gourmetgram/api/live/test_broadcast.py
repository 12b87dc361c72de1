"""One text, many readers."""

import asyncio

from gourmetgram.api.live.broadcast import Broadcast


async def test_every_reader_sees_what_comes_while_it_keeps_up() -> None:
    broadcast, seen = Broadcast(), [list[str](), list[str]()]

    async def read(into: list[str]) -> None:
        async for text in broadcast.follow():
            into.append(text)

    readers = [asyncio.create_task(read(into)) for into in seen]
    for number in range(5):
        await asyncio.sleep(0)
        broadcast.publish(str(number))
        await asyncio.sleep(0)
    broadcast.close()
    await asyncio.gather(*readers)
    assert seen == [["0", "1", "2", "3", "4"]] * 2


async def test_a_slow_reader_gets_the_newest_and_nothing_is_kept_for_it() -> None:
    broadcast = Broadcast()
    broadcast.publish("0")
    reader = broadcast.follow()
    assert await anext(reader) == "0"
    for number in range(1, 1000):
        broadcast.publish(str(number))
    assert await anext(reader) == "999"
    broadcast.close()
    assert [text async for text in reader] == []


async def test_a_reader_that_comes_later_sees_the_present_text_unless_it_is_old() -> None:
    broadcast = Broadcast()
    broadcast.publish("now")
    assert await anext(broadcast.follow()) == "now"
    broadcast.forget()
    waiting = asyncio.ensure_future(anext(broadcast.follow()))
    await asyncio.sleep(0)
    assert not waiting.done()
    broadcast.publish("then")
    assert await waiting == "then"


async def test_nobody_reads_from_what_is_closed() -> None:
    broadcast = Broadcast()
    broadcast.publish("last")
    broadcast.close()
    assert [text async for text in broadcast.follow()] == []
