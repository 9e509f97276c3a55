"""Writers: an export of the Store as CSV, XLSX, GeoJSON or GeoPackage, each with its header facts."""

from dashboard.exports.csv_file import csv_chunks
from dashboard.exports.facts import Fact, facts_of, file_name
from dashboard.exports.geojson_file import geojson_chunks
from dashboard.exports.gpkg_file import gpkg_chunks
from dashboard.exports.xlsx_file import MOST_ROWS, xlsx_chunks

__all__ = ["MOST_ROWS", "Fact", "csv_chunks", "facts_of", "file_name", "geojson_chunks", "gpkg_chunks", "xlsx_chunks"]
