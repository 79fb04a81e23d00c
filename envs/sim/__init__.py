"""MuJoCo behind named quantities."""
