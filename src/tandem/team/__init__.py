"""Who works here: users, roles, their addresses, and the settings of the company."""
