"""The pages: each has layout, view (pure) and callbacks."""
