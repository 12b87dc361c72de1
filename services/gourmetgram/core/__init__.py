"""What every service shares: settings, events, topics. Pure, and importing nothing else of GourmetGram."""
