"""How the demo policy is taught: sampled observations, losses. Needed only to re-create it."""
