"""One implementation, two colours: programs are generators of effects; `run` and `arun` perform them."""

from holdall.program.run import Call, Effect, Program, Role, Sleep, arun, run

__all__ = ["Call", "Effect", "Program", "Role", "Sleep", "arun", "run"]
