"""Meetings: what calendars say, what people want, and what a page shows of both."""
