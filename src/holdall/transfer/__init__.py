"""Transfer: import, export, inspect and copy; sits beside the HTTP API and knows neither it nor the command line."""

from holdall.transfer.batches import Progress
from holdall.transfer.exporting import ExportResult, export_rows
from holdall.transfer.files import FORMATS
from holdall.transfer.foreign import CopyResult, copy_foreign, read_table
from holdall.transfer.importing import ImportResult, import_rows
from holdall.transfer.modelsource import inspect_models

__all__ = [
    "FORMATS",
    "CopyResult",
    "ExportResult",
    "ImportResult",
    "Progress",
    "copy_foreign",
    "export_rows",
    "import_rows",
    "inspect_models",
    "read_table",
]
