"""The wake-up port: jobs only wake; the truth is in our tables."""
