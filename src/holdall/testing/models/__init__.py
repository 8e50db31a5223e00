"""The models that the kit's cases work with: one module for each group of cases.

All their tables carry a prefix of this process's own, so that the kit can run in a store that holds other data, and removes only what it
made. A store makes the models of a module ready together: models that need a capability that a backend may lack (unique values,
references, checks, expiry, numbered keys) stand in modules of their own.
"""

from holdall.testing.models.naming import PREFIX, named

__all__ = ["PREFIX", "named"]
