"""A pack as files, each written by a module of its own."""
