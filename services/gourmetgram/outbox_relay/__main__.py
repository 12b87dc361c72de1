"""Run the relay: `python -m gourmetgram.outbox_relay`."""

from gourmetgram.outbox_relay.main import main

main()
