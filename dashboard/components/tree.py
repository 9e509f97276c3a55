"""Components as plain nested lists, which the page's script turns into elements.

Dash keeps every component in its store and asks each one after every change; a page of a thousand small ones spends a
second a click on that. What only shows numbers is therefore sent as one value.
"""

from __future__ import annotations

from dash.development.base_component import Component

_ATTRIBUTES = {"className": "class", "colSpan": "colspan"}


def tree(part) -> list | str | None:
    """A component, a text or number, or a list of these, ready for JSON.

    Returns
    -------
    list, str or None
        An element is ``[tag, attributes, children]``, a list of parts ``["", {}, children]``.
    """
    if part is None or isinstance(part, str):
        return part
    if isinstance(part, (list, tuple)):
        return ["", {}, [tree(child) for child in part if child is not None]]
    if not isinstance(part, Component):
        return str(part)
    props = dict(part.to_plotly_json()["props"])
    children = props.pop("children", None)
    style = props.pop("style", None)
    attributes = {_ATTRIBUTES.get(name, name): str(value) for name, value in props.items() if value is not None}
    if style:
        attributes["style"] = ";".join(f"{name}:{value}" for name, value in style.items())
    inside = children if isinstance(children, (list, tuple)) else [children]
    return [part._type.lower(), attributes, [tree(child) for child in inside if child is not None]]
