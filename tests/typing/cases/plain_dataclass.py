"""Shows what a case looks like, on a class that has nothing to do with Holdall."""

from dataclasses import dataclass
from typing import assert_type


@dataclass
class Point:
    x: int
    y: int = 0


point = Point(1, y=2)
assert_type(point.x, int)

Point("1")  # E: reportArgumentType, arg-type
Point()  # E: missing x
Point(x=1, z=3)  # E: no parameter named z
print(point.z)  # E: attribute unknown
