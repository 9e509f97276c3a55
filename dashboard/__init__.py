"""The pages and the read-only API over a published release."""
