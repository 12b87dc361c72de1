"""`python -m gourmetgram.stream_consumer.forget`: delete all counts; the consumer rebuilds them from the topics.

Stop the stream consumer first: a running one notices within a batch and starts over, which is safe but looks like a
failure in its log.
"""

from gourmetgram.core.logs import set_up_logging
from gourmetgram.stream_consumer.settings import ConsumerSettings
from gourmetgram.stream_consumer.state import Store


def main() -> None:
    """Delete everything that the stream consumer keeps in Redis."""
    set_up_logging()
    store = Store.connect(ConsumerSettings())
    try:
        number = store.forget_everything()
    finally:
        store.close()
    print(f"{number} keys deleted; the topics still have everything", flush=True)


if __name__ == "__main__":
    main()
