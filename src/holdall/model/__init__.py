"""Models: declaring them, what their objects hold, and how they reach a store."""

from holdall.model.base import Model
from holdall.model.fieldtypes import Email, IPAddress, Json, LocalDateTime, Phone, Url, codec
from holdall.model.registry import model_of, models
from holdall.model.relations import BelongsTo, HasMany, HasOne, ManyToMany
from holdall.model.spec import Always, CreatedAt, Field, Key, UpdatedAt, Version

__all__ = [
    "Always",
    "BelongsTo",
    "CreatedAt",
    "Email",
    "Field",
    "HasMany",
    "HasOne",
    "IPAddress",
    "Json",
    "Key",
    "LocalDateTime",
    "ManyToMany",
    "Model",
    "Phone",
    "UpdatedAt",
    "Url",
    "Version",
    "codec",
    "model_of",
    "models",
]
