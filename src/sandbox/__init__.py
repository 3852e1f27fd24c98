"""What surrounds Tandem in the sample: a calendar server, a mail sink, a team with its customers.

Nothing here is part of the product; the product never imports it.
"""
