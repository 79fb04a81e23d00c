"""How a policy learns. Knows vector environments and nothing of robots."""
