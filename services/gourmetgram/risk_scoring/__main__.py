"""Run the risk scoring service: `python -m gourmetgram.risk_scoring`."""

from gourmetgram.risk_scoring.main import main

main()
