"""The stream consumer: turns the topics into counts per image in Redis, and asks for moderation when it is time."""
