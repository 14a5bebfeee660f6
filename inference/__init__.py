"""The MIL network, its engine, the model registry and the scores."""
