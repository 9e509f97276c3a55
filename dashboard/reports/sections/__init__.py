"""The sections of a pack, each gathered from the Store by a module of its own."""
