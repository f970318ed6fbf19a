"""Small random models of transformers behind the generic adapter, as a user would put them there."""
