"""Answers of the Store as HTTP responses."""

from __future__ import annotations

import json

from fastapi import Response

from dashboard.api.rows_json import rows_json
from data.store import Answer, Features


def rows(answer: Answer) -> Response:
    """``{"meta": …, "rows": […]}``."""
    return plain(f'{{"meta":{text(answer.meta)},"rows":{rows_json(answer.rows)}}}')


def geojson(found: Features) -> Response:
    """A FeatureCollection with ``meta`` as a top-level member."""
    body = f'{{"type":"FeatureCollection","meta":{text(found.meta)},"features":[{",".join(found.features)}]}}'
    return Response(body.encode(), media_type="application/geo+json")


def plain(body: str) -> Response:
    """JSON text as it is."""
    return Response(body.encode(), media_type="application/json")


def text(value: object) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
