"""Declare a model once, keep it in any store, get the same behaviour from all of them."""
