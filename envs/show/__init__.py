"""How a policy is seen."""
