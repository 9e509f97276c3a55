"""From a centre's own files to a published release."""
