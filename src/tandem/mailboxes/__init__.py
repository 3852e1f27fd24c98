"""Connected accounts, their calendars, the lease, and secrets at rest."""
