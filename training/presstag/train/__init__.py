"""Fine-tuning: from a config file to a checkpoint and a packed model. Needs presstag[train]."""
