"""Transfer: import, export, inspect and copy; sits beside the HTTP API and knows neither it nor the command line."""

from holdall.transfer.exporting import ExportResult, export_rows
from holdall.transfer.files import FORMATS
from holdall.transfer.importing import ImportResult, import_rows

__all__ = ["FORMATS", "ExportResult", "ImportResult", "export_rows", "import_rows"]
