"""What the proofs on isolation and races share: where they run, programs of the port as words, schedulers, and the models."""
