"""Where the selected area stands: breadcrumb, name, and a fault where there is none."""

from __future__ import annotations

from dashboard.components import html
from dashboard.components.link import link
from dashboard.language import say
from dashboard.pages.workbench.state import PageState
from data.index import INCIDENT_LEVELS
from data.store import Release, Scope
from data.store.units import Place

_CHILD_HINT = {"district": "选区县", "street": "选街道", "community": "选社区", "grid": "选网格"}


def crumbs(state: PageState, release: Release, scope: Scope) -> html.Element:
    """Where the selected area stands: every area above it in the scope, each a link; then what can be chosen next."""
    line = area_line(release, scope, state.selection.area)
    root = root_name(release, scope)
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
    child = child_level(release, scope, state.selection.area)
    if child:
        steps.append(html.Span(say(_CHILD_HINT[child]), className="hint"))
    parts = []
    for step in steps:
        parts += [html.Span("/", className="slash", **{"aria-hidden": "true"}), step]
    return html.Nav(parts[1:], className="crumbs", **{"aria-label": say("区域")})


def root_name(release: Release, scope: Scope) -> str:
    """The name of the one area of the scope; of a whole release the city's, else its title."""
    places = release.units.scope_places(scope)
    if places is not None:
        only = places[0] if len(places) == 1 else None
        return release.units.level(only.level).names[only.position] if only else release.info.title
    cities = release.units.level("city")
    return cities.names[0] if len(cities) == 1 else release.info.title


def area_line(release: Release, scope: Scope, code: str | None) -> list[Place]:
    """The selected area and those above it in the scope, wide to narrow; a lone city or province is the whole."""
    place = None if code is None else release.units.find(code)
    if place is None:
        return []
    line = []
    for level, above in release.units.level(place.level).above.items():
        if above.size and above[place.position] >= 0 and level not in ("province", "city"):
            wider = Place(level, int(above[place.position]))
            if release.units.in_scope(level, scope)[wider.position]:
                line.append(wider)
    if place.level in ("province", "city") and len(release.units.level(place.level)) == 1:
        return line
    return [*line, place]


def child_level(release: Release, scope: Scope, code: str | None) -> str | None:
    """The next narrower level that has units inside the area, or the scope; None at the narrowest."""
    place = None if code is None else release.units.find(code)
    for level in INCIDENT_LEVELS:
        if place is None:
            if release.units.in_scope(level, scope).any():
                return level
        elif level != place.level and release.units.inside(level, place).any():
            return level
    return None


def title(name: str) -> html.Element:
    """The name of the selected area over the side column."""
    return html.Div(html.H2(name, title=name), className="headline-head")


def fault(line: str) -> html.Element:
    """A fault in plain words, and the way back."""
    return html.Div([html.Span("×", className="mark bad", **{"aria-hidden": "true"}), html.Span(line),
                     link(say("回到缺省视图"), "?", className="button view")], className="fault", role="alert")  # fmt: skip
