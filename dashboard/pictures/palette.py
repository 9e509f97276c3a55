"""The colours of the light theme for what is drawn on the server; look.md and ``assets/1_tokens.css`` hold the same."""

from __future__ import annotations

LIGHT: dict[str, str] = {
    "bg": "#eef1f4", "panel": "#ffffff", "raised": "#f5f7f9", "sunk": "#f0f3f6",
    "t1": "#13202c", "t2": "#41525f", "t3": "#5e6f7d",
    "line": "#dde3e9", "line2": "#aebbc7", "line3": "#7f8d9a",
    "accent": "#0c659c", "accent-fill": "#cfe3f0",
    "bad": "#a5230e", "bad-fill": "#fbe6e1", "warn": "#9a6200", "warn-fill": "#fcefd2",
    "good": "#005f52", "good-fill": "#ddf1ed",
    "map-outside": "#e9edf0", "map-land": "#fafbfc", "map-water": "#c3d9e6", "map-building": "#e3e8ec",
    "map-road": "#9fadb9", "map-grid": "#d3dbe2", "map-street": "#b3c0cb", "map-district": "#5b6e7e",
    "map-label": "#3a4a57",
    **{f"density-{i}": c for i, c in enumerate(("#fbe3b4", "#f6b56b", "#e27a45", "#b33f4d", "#6a2350"), 1)},
    **{f"count-{i}": c for i, c in enumerate(("#eef4f8", "#cce1ee", "#97c3df", "#5699c4", "#2a6f9d", "#143f60"))},
    **{f"change-{i}": c for i, c in enumerate(
        ("#1c5c92", "#5b9aca", "#b4d2e7", "#edeeec", "#f2cc98", "#d98c3b", "#97500f"))},
    **{f"cat-{i}": c for i, c in enumerate(
        ("#c8452a", "#b98500", "#1b82be", "#8e2f7c", "#0b8566", "#343f9e", "#75858f", "#aebbc7"))},
}  # fmt: skip
TONE_OF_VERDICT = {"bad": "bad", "warn": "warn", "calm": "t2", "good": "good", "none": "t3"}
