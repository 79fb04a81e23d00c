"""What simulations remember from one control step to the next."""
