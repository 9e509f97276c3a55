"""sources.toml: the declared inputs of a release, read and checked as a whole before any file is opened."""

from __future__ import annotations

import glob
import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pyproj
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data.schema import CATEGORIES, LAYERS
from etl.faults import ColumnFault, FileFault, SourcesFileError

Kind = Literal[
    "area",
    "grid",
    "incident",
    "dispute",
    "report_status",
    "camera",
    "key_place",
    "base_road",
    "base_building",
    "base_water",
]
_POINT = ("lon", "lat", "lon_lat", "wkt")
_AREA = ("area_code", "area_name")
_PERIOD = ("period", "period_start", "period_end")

# Our fields per kind: the layer's columns that a file can fill, and the ways to say place and time.
FIELDS: dict[str, tuple[str, ...]] = {
    "area": (*LAYERS["area"].names, "wkt"),
    "grid": (*LAYERS["grid"].names, "wkt"),
    "incident": (
        "incident_id",
        "occurred_from",
        "occurred_to",
        "occurred_date",
        "occurred_time",
        "occurred_hour",
        "recorded_at",
        "category",
        "subcategory",
        "status",
        "grid_code",
        "community_code",
        "street_code",
        "district_code",
        "place_type",
        *_POINT,
    ),
    "dispute": (*_PERIOD, *_AREA, *(n for n in LAYERS["dispute_stat"].names[3:] if n != "source_id")),
    "report_status": (*_PERIOD, *_AREA, "dataset", "state", "due_at", "reported_at"),
    "camera": (*LAYERS["camera"].names, "direction", *_POINT),
    "key_place": (*LAYERS["key_place"].names[:5], *_POINT),
    "base_road": (*LAYERS["base_road"].names, "wkt"),
    "base_building": (*LAYERS["base_building"].names, "wkt"),
    "base_water": (*LAYERS["base_water"].names, "wkt"),
}
COUNTS = (
    "found",
    "accepted",
    "handled",
    "succeeded",
    "partial",
    "failed",
    "open",
    "on_time",
    "overdue",
    "open_le30",
    "open_31_90",
    "open_gt90",
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReleaseSpec(_Strict):
    """[release]: what every page shows and every table is stored in."""

    title: str
    crs: str = "EPSG:4326"
    timezone: str = "Asia/Shanghai"
    codes: Literal["auto", "china", "opaque"] = "auto"
    synthetic: bool = False

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("应为时区名，如 Asia/Shanghai") from error
        return value

    @field_validator("crs")
    @classmethod
    def _geographic(cls, value: str) -> str:
        try:
            crs = pyproj.CRS.from_user_input(value)
        except pyproj.exceptions.CRSError as error:
            raise ValueError("不是坐标系代码，应为 EPSG:4326 或 EPSG:4490") from error
        if not crs.is_geographic or not value.upper().startswith("EPSG:"):
            raise ValueError("入库坐标系应写成经纬度的 EPSG 代码，如 EPSG:4326 或 EPSG:4490")
        return value


class Source(_Strict):
    """One [[source]]. ``columns`` maps our field to their column, or to a list: the first that is filled."""

    id: str = Field(pattern=r"^[A-Za-z0-9_\-\u4e00-\u9fff]{1,64}$")
    kind: Kind
    path: str | None = None
    url: str | None = None
    query: str | None = None
    layer: str | None = None
    sheet: str | None = None
    header: Literal["auto"] | int | list[int] = "auto"
    encoding: str = "auto"
    crs: str = "auto"
    timezone: str | None = None
    precision: Literal["auto", "month", "day", "hour", "minute"] = "auto"
    cadence: Literal["day", "week", "month", "quarter"] = "week"
    grace_days: int = Field(2, ge=0)
    max_reject_pct: float = Field(20, ge=0, le=100)
    columns: dict[str, str | list[str]] = Field(default_factory=dict)
    values: dict[str, dict[str, Any]] = Field(default_factory=dict)
    defaults: dict[str, Any] = Field(default_factory=dict)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        return value if value is None else ReleaseSpec._zone(value)

    @model_validator(mode="after")
    def _whole(self) -> Source:
        if (self.path is None) == (self.url is None):
            raise ValueError("path 与 url 须且只须写一个")
        if self.url is not None and self.query is None:
            raise ValueError("url 须配 query")
        for part in ("columns", "values", "defaults"):
            unknown = sorted(set(getattr(self, part)) - set(FIELDS[self.kind]))
            if unknown:
                raise ValueError(
                    f"{part} 中没有字段 {'、'.join(unknown)}；{self.kind} 可用: {' '.join(FIELDS[self.kind])}"
                )
        strange = sorted({str(v) for v in self.values.get("category", {}).values()} - set(CATEGORIES))
        if self.kind == "incident" and strange:
            raise ValueError(f"values.category 的右边应为 {' '.join(CATEGORIES)}；没有 {'、'.join(strange)}")
        return self

    def given(self, *fields: str) -> bool:
        """Whether any of the fields is mapped or has a constant."""
        return any(f in self.columns or f in self.defaults for f in fields)

    def missing(self) -> str | None:
        """The first required field without a source, in words. Geometry and headers are looked for in the file."""
        if self.kind == "grid" and not self.given("grid_code"):
            return "grid_code"
        if self.kind == "area":
            return next((f for f in ("code", "level") if not self.given(f)), None)
        if self.kind == "incident" and not self.given("occurred_from", "occurred_date"):
            return "occurred_from（或 occurred_date）"
        if self.kind in ("dispute", "report_status") and not self.given(*_AREA):
            return "area_code（或 area_name）"
        if self.kind == "report_status":
            if not self.given("period", "period_start"):
                return "period（或 period_start）"
            return next((f for f in ("dataset", "state") if not self.given(f)), None)
        return None

    def wanted(self) -> dict[str, tuple[str, ...]]:
        """Our field -> their column names, each as a tuple."""
        return {k: (v,) if isinstance(v, str) else tuple(v) for k, v in self.columns.items()}


class Sources(_Strict):
    """The whole file."""

    release: ReleaseSpec
    source: tuple[Source, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Sources:
        seen: set[str] = set()
        for source in self.source:
            if source.id in seen:
                raise ValueError(f"来源 id 重复: {source.id}")
            seen.add(source.id)
        return self


_ENV = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def _expand(value: Any, where: str) -> Any:
    """Replace ``${NAME}`` and ``${NAME:-default}`` from the environment; the value itself is never shown."""
    if isinstance(value, dict):
        return {k: _expand(v, f"{where}.{k}" if where else k) for k, v in value.items()}
    if isinstance(value, list):
        return [_expand(v, where) for v in value]
    if not isinstance(value, str):
        return value

    def take(match: re.Match) -> str:
        name, default = match.groups()
        if name not in os.environ and default is not None:
            return default
        if name not in os.environ:
            raise SourcesFileError(
                "环境变量未设置", where=where, found=f"${{{name}}}", remedy=f"运行前先 export {name}=…"
            )
        return os.environ[name]

    return _ENV.sub(take, value)


def load(path: Path) -> Sources:
    """Read and check sources.toml.

    Raises
    ------
    SourcesFileError
        One line naming the key, what was found and what is allowed.
    ColumnFault
        A required field has no source.
    """
    if not path.is_file():
        raise SourcesFileError(
            "找不到来源清单",
            where=str(path),
            expected="sources.toml",
            remedy="写一份 sources.toml（见 examples/），或先运行 yanpan demo",
        )
    try:
        raw = tomllib.loads(path.read_text("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SourcesFileError("来源清单不是 UTF-8 文本", where=path.name, remedy="另存为 UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise SourcesFileError(
            "来源清单不合 TOML 语法", where=path.name, found=str(error), remedy=_toml_hint(path)
        ) from error
    raw = _expand(raw, "")
    try:
        declared = Sources.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        loc = ".".join(str(part) for part in first["loc"])
        if first["loc"][:1] == ("source",) and len(first["loc"]) > 1:
            entries = raw.get("source")
            n = first["loc"][1]
            name = entries[n].get("id", n) if isinstance(entries, list) and isinstance(entries[n], dict) else n
            loc = f"[[source]] {name} {'.'.join(str(p) for p in first['loc'][2:])}".strip()
        # As written, variables not filled in: one of them may be a password.
        found = _written(path, first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            reason = "没有这个键"
        elif first["type"] == "missing":
            reason, found = "缺少这个键", ""
        elif first["type"] == "literal_error":
            reason = first["ctx"]["expected"].replace(" or ", "、").replace(", ", "、").replace("'", "")
        elif first["type"].startswith(("bool", "int", "float", "string", "dict", "list")):
            reason = _TYPES.get(first["type"].split("_")[0], "另一种值")
        raise SourcesFileError(
            "来源清单有误",
            where=f"{path.name} {loc}",
            found=found,
            expected=reason,
            remedy="对照 examples/ 中的示例改正",
        ) from error
    for source in declared.source:
        if missing := source.missing():
            raise ColumnFault(
                "必填字段未映射",
                where=f"{path.name} [[source]] {source.id}",
                expected=missing,
                remedy="在 [source.columns] 或 [source.defaults] 中写明",
            )
    return declared


_TYPES = {"bool": "true 或 false（不加引号）", "int": "整数", "float": "数字", "string": "带英文引号的文字", "dict": "一张表",
          "list": "方括号里的列表"}  # fmt: skip


def _toml_hint(path: Path) -> str:
    """What most often spoils a list typed in China."""
    text = path.read_text("utf-8-sig")
    if re.search(r"[“”‘’]", text):
        return '引号须是英文的 "，不是 “ ”'
    if re.search(r'"[^"\n]*\\', text):
        return "路径里的 \\ 请写成 /"
    return "改正该行后重试；文字须用成对的英文引号"


def _written(path: Path, loc: tuple) -> str:
    """The value at a place of the list as the file has it; empty for tables and what is not there."""
    value: Any = tomllib.loads(path.read_text("utf-8-sig"))
    for step in loc:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return ""
    return "" if isinstance(value, dict | list) else repr(value)


def files_of(source: Source, base: Path) -> list[Path]:
    """The files of a source in natural order of their names; relative paths count from ``base``.

    Raises
    ------
    FileFault
        When nothing matches.
    """
    pattern = source.path if os.path.isabs(source.path) else os.path.join(glob.escape(str(base)), source.path)
    exact = base / source.path  # an absolute path stands by itself
    found = [exact] if exact.exists() else [Path(p) for p in glob.glob(pattern, recursive=True)]
    files = [p for p in found if p.is_file()]
    if not files:
        raise FileFault(
            "找不到来源文件",
            where=f"{source.id} {source.path}",
            expected="至少一个文件",
            remedy="检查 path，或把文件放入 inbox/",
        )
    return sorted(files, key=lambda p: [int(t) if t.isdigit() else t for t in re.split(r"(\d+)", p.name)])
