"""Reading, editing and writing iCalendar text (RFC 5545). Pure: text in, events or text out."""

from tandem.calendaring.ics.edit import edit
from tandem.calendaring.ics.lines import Unreadable, unfold
from tandem.calendaring.ics.read import read
from tandem.calendaring.ics.write import new

__all__ = ["Unreadable", "edit", "new", "read", "unfold"]
