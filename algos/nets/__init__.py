"""Networks: policy, critic and what they are made of."""
