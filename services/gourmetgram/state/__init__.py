"""The whole state of the platform as one archive: made by `./lab save`, read by `./lab restore`."""
