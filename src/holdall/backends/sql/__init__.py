"""SQL shared by the SQL backends: statements from query trees, formats of columns, programs for reading and writing."""

from holdall.backends.sql.dialect import Dialect
from holdall.backends.sql.formats import Format, Storage
from holdall.backends.sql.reads import Reads
from holdall.backends.sql.statements import Statement, Statements
from holdall.backends.sql.writes import Writes

__all__ = ["Dialect", "Format", "Reads", "Statement", "Statements", "Storage", "Writes"]
