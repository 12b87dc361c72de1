"""Run the stream consumer: `python -m gourmetgram.stream_consumer`."""

from gourmetgram.stream_consumer.main import main

main()
