"""Teams and members, over whose references transactions get in each other's way."""

from __future__ import annotations

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class Crew(Model, table=named("gr_crews")):
    """What sailors belong to."""

    id: int = Key(generated=False)
    note: str = ""


class Sailor(Model, table=named("gr_sailors")):
    """Keeps its crew from being removed."""

    id: int = Key(generated=False)
    crew_id: int | None = Field(default=None, references=Crew, on_delete="restrict")


class Remark(Model, table=named("gr_remarks")):
    """A note of what was seen."""

    id: int = Key(generated=False)
    count: int = 0
