"""What a task is made of: terms, each beside its function."""
