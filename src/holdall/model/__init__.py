"""Models: declaring them, what their objects hold, and how they reach a store."""

from holdall.model.access import AsyncRecord
from holdall.model.ambient import Frame, Home, ambient_home, current, enter, leave
from holdall.model.base import Model
from holdall.model.collection import AsyncCollection, Collection
from holdall.model.copying import unfit
from holdall.model.entities import plural, snake, table_name
from holdall.model.fieldtypes import Email, IPAddress, Json, LocalDateTime, Phone, Url, codec
from holdall.model.includes import make_include, merge_includes
from holdall.model.keys import uuid7
from holdall.model.neighbours import linked_models
from holdall.model.query import AsyncQuery, Explanation, Page, Query
from holdall.model.registry import model_of, models
from holdall.model.relations import BelongsTo, HasMany, HasOne, ManyToMany
from holdall.model.shape import row_builder
from holdall.model.spec import Always, CreatedAt, Field, Key, UpdatedAt, Version
from holdall.model.values import thawer

__all__ = [
    "Always",
    "AsyncCollection",
    "AsyncQuery",
    "AsyncRecord",
    "BelongsTo",
    "Collection",
    "CreatedAt",
    "Email",
    "Explanation",
    "Field",
    "Frame",
    "HasMany",
    "HasOne",
    "Home",
    "IPAddress",
    "Json",
    "Key",
    "LocalDateTime",
    "ManyToMany",
    "Model",
    "Page",
    "Phone",
    "Query",
    "UpdatedAt",
    "Url",
    "Version",
    "ambient_home",
    "codec",
    "current",
    "enter",
    "leave",
    "linked_models",
    "make_include",
    "merge_includes",
    "model_of",
    "models",
    "plural",
    "row_builder",
    "snake",
    "table_name",
    "thawer",
    "unfit",
    "uuid7",
]
