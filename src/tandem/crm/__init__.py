"""Records: leads, people, companies and opportunities, with their addresses and notes."""
