"""Where the selected area stands: breadcrumb, name, and a fault where there is none."""

from __future__ import annotations

from dash import html

from dashboard.components.link import link
from dashboard.language import say
from dashboard.pages.workbench.state import PageState
from data.index import INCIDENT_LEVELS
from data.store import Release
from data.store.units import Place

_CHILD_HINT = {"district": "选区县", "street": "选街道", "community": "选社区", "grid": "选网格"}


def crumbs(state: PageState, release: Release) -> html.Nav:
    """Where the selected area stands: every area above it, each a link; then what can be chosen next."""
    line = area_line(release, state.selection.area)
    root = root_name(release)
    steps: list = []
    if line:
        steps.append(link(root, state.href(area=None), className="crumb"))
        for place in line[:-1]:
            units = release.units.level(place.level)
            steps.append(link(units.names[place.position], state.href(area=units.codes[place.position]),
                              className="crumb"))  # fmt: skip
        last = line[-1]
        steps.append(html.Strong(release.units.level(last.level).names[last.position], **{"aria-current": "location"}))
    else:
        steps.append(html.Strong(root, **{"aria-current": "location"}))
    child = child_level(release, state.selection.area)
    if child:
        steps.append(html.Span(say(_CHILD_HINT[child]), className="hint"))
    parts = []
    for step in steps:
        parts += [html.Span("/", className="slash", **{"aria-hidden": "true"}), step]
    return html.Nav(parts[1:], className="crumbs", **{"aria-label": say("区域")})


def root_name(release: Release) -> str:
    """The city's name, else the release's title."""
    cities = release.units.level("city")
    return cities.names[0] if len(cities) == 1 else release.info.title


def area_line(release: Release, code: str | None) -> list[Place]:
    """The selected area and those above it, wide to narrow; a lone city or province at the top is the whole."""
    place = None if code is None else release.units.find(code)
    if place is None:
        return []
    line = []
    for level, above in release.units.level(place.level).above.items():
        if above.size and above[place.position] >= 0 and level not in ("province", "city"):
            line.append(Place(level, int(above[place.position])))
    if place.level in ("province", "city") and len(release.units.level(place.level)) == 1:
        return line
    return [*line, place]


def child_level(release: Release, code: str | None) -> str | None:
    """The next narrower level that has units inside the area; None at the narrowest."""
    place = None if code is None else release.units.find(code)
    for level in INCIDENT_LEVELS:
        if place is None:
            if len(release.units.level(level)):
                return level
        elif level != place.level and release.units.inside(level, place).any():
            return level
    return None


def title(name: str) -> html.Div:
    """The name of the selected area over the side column."""
    return html.Div(html.H2(name, title=name), className="headline-head")


def fault(line: str) -> html.Div:
    """A fault in plain words, and the way back."""
    return html.Div([html.Span("×", className="mark bad", **{"aria-hidden": "true"}), html.Span(line),
                     link(say("回到缺省视图"), "?", className="button view")], className="fault", role="alert")  # fmt: skip
