"""How many instances a load needs, what they cost, and what a rollout or a lost zone does: a simulated fleet."""
