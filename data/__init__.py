"""What the tables mean, how they are kept, and how they are asked."""
