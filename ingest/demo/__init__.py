"""The bundled demo world: a tiny Pi0.5-shaped policy, its recorded episodes, and the code that made both."""
