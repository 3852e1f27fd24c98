"""Who is told of a meeting, by whom, and on whose word: iMIP and the ledger."""
