"""``yanpan.toml`` of a workspace: what it may say, and one line where it says something else."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from dashboard.basemaps import RULE, BaseMap
from data.errors import UsageError
from data.webhook import Webhook

FILE_NAME = "yanpan.toml"
_HIDDEN = ("address", "key", "secret")  # may hold ${NAME} from the environment, and are never shown


class ServerTable(BaseModel):
    """``[server]``: where ``yanpan serve`` listens, unless the command line says otherwise."""

    model_config = ConfigDict(extra="forbid", strict=True)

    host: str | None = Field(None, min_length=1, description="主机名或地址，如 127.0.0.1")
    port: int | None = Field(None, ge=0, le=65535, description="0 至 65535 的整数")
    workers: int | None = Field(None, ge=1, le=64, description="1 至 64 的整数")


class ThresholdsTable(BaseModel):
    """``[thresholds]``: of the verdicts, see :class:`data.store.Limits`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    strong_p: float | None = Field(None, gt=0, lt=1, description="0 与 1 之间的数，不大于 mild_p")
    mild_p: float | None = Field(None, gt=0, lt=1, description="0 与 1 之间的数")
    missing_pct: float | None = Field(None, ge=0, le=100, description="0 至 100 的百分数")


Theme = Literal["hotspots", "grid", "disputes", "cover", "change"]
Category = Literal["刑事", "治安", "交通", "火灾", "纠纷", "求助", "其他"]
Size = Annotated[str, Field(pattern=r"^[1-9]\d{2,4}x[1-9]\d{2,4}$")]


class ScreenTable(BaseModel):
    """``[screen]``: the wall.

    Attributes
    ----------
    title : str
    theme : str
        Colours, unless the address says otherwise.
    rotate_s : int
        Seconds a theme of the map stays; 0 keeps the first.
    themes : list of str
        Themes of the map in their order, those left out are not shown.
    cards : list of str
        Categories with a card, the first four on every wall, the others on wide ones.
    left, right : list of str
        Panels beside the map from top to bottom.
    dim : str or None
        Hours of the night in which the wall is darker: ``22-6``.
    walls : dict
        Names for sizes: ``?wall=NAME``.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = Field("社会治安综合研判", min_length=2, max_length=16, description="2 至 16 个字")
    theme: Literal["dark", "light"] = Field("dark", description="dark light")
    rotate_s: Annotated[int, Field(ge=15, le=60)] | Literal[0] = Field(
        30, description="15 至 60 的整数，或 0（不轮播）"
    )
    themes: list[Theme] = Field(
        ["hotspots", "grid", "disputes", "cover", "change"], min_length=1, max_length=5,
        description="hotspots grid disputes cover change 中的一个或几个，写成 [\"hotspots\", \"grid\"]",
    )  # fmt: skip
    cards: list[Category] = Field(["刑事", "治安", "交通", "纠纷", "求助", "火灾"], min_length=1, max_length=6,
                                  description="刑事 治安 交通 火灾 纠纷 求助 其他 中至多六个，写成列表")  # fmt: skip
    left: list[Literal["kpis", "trend", "week"]] = Field(
        ["kpis", "trend", "week"], min_length=3, max_length=3, description='kpis trend week 三个的一种次序',
    )  # fmt: skip
    right: list[Literal["top", "disputes", "video"]] = Field(
        ["top", "disputes", "video"], min_length=3, max_length=3, description='top disputes video 三个的一种次序',
    )  # fmt: skip
    dim: str | None = Field(None, pattern=r"^([01]?\d|2[0-3])-([01]?\d|2[0-3])$", description="起止钟点，如 22-6")
    walls: dict[str, Size] = Field({}, description='名称 = "宽x高"，如 main = "6656x1792"')

    @field_validator("left", "right")
    @classmethod
    def _each_once(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if len(set(value)) < len(value):
            raise PydanticCustomError(RULE, "", {"name": info.field_name, "expected": "每个一次"})
        return value


class ReportTable(BaseModel):
    """``[report]``: the 碰头会 packs.

    Attributes
    ----------
    decimals : int
        Of percents; a trailing 0 is dropped.
    circulated_under : int
        Counts from 1 to below this are hidden in editions for circulation.
    out : str
        Folder of scheduled packs, from the workspace.
    formats : list of str
    meetings : list of str
        Which meetings have a scheduled pack.
    daily_when_sensitive : bool
        Also every day in 敏感时期 of the calendar.
    areas : list of str
        Codes of the areas with a pack of their own; "" is the whole.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    decimals: int = Field(1, ge=0, le=2, description="0 至 2 的整数")
    circulated_under: int = Field(5, ge=2, le=100, description="2 至 100 的整数")
    out: str = Field("reports", min_length=1, description="文件夹，相对工作区")
    formats: list[Literal["pptx", "docx", "pdf", "html"]] = Field(
        ["pptx", "docx", "pdf", "html"], min_length=1, max_length=4, description="pptx docx pdf html 中的几个，写成列表",
    )  # fmt: skip
    meetings: list[Literal["week", "half", "month", "quarter", "year"]] = Field(
        ["week"], max_length=5, description="week half month quarter year 中的几个，写成列表",
    )  # fmt: skip
    daily_when_sensitive: bool = Field(True, description="true 或 false")
    areas: list[str] = Field([""], min_length=1, max_length=50, description='区划代码的列表，"" 是全部')


class WebhookTable(BaseModel):
    """``[webhook]``: where new alerts and finished packs are told, see :mod:`data.webhook`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    address: str = Field(pattern=r"^https?://[^\s/]+(/\S*)?$", description="http:// 或 https:// 开头的地址")
    secret: str = Field(min_length=16, description="双方约定的密钥，至少 16 个字符，宜写成 ${变量名}")

    def to_hook(self) -> Webhook:
        """As messages are sent to."""
        return Webhook(self.address, self.secret)


class SettingsFile(BaseModel):
    """The tables of the file."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    server: ServerTable = ServerTable()
    thresholds: ThresholdsTable = ThresholdsTable()
    screen: ScreenTable = ScreenTable()
    report: ReportTable = ReportTable()
    webhook: WebhookTable | None = None
    basemap: tuple[BaseMap, ...] = ()


# What is allowed for a base map's keys, in the words of a message.
_ALLOWED = {
    "id": "字母、数字、- 和 _，不超过 32 个字符",
    "name": "1 至 40 个字的名称",
    "kind": "mbtiles pmtiles xyz wmts tianditu",
    "path": "文件路径",
    "address": "写在引号里的地址",
    "key": "写在引号里的密钥",
    "layer": "vec img ter",
    "min_zoom": "0 至 24 的整数",
    "max_zoom": "0 至 24 的整数",
    "datum": "wgs84 gcj02",
    "attribution": "不超过 200 个字的一段文字",
}


def read_file(path: Path, environment: Mapping[str, str]) -> SettingsFile:
    """The settings of a file; none where there is no file.

    Parameters
    ----------
    environment : mapping
        For ``${NAME}`` in addresses and keys of base maps.

    Raises
    ------
    UsageError
        Naming the key, what was found and what is allowed. Addresses and keys of base maps are never shown.
    """
    raw = _toml(path)
    maps = raw.get("basemap")
    for number, table in enumerate(maps if isinstance(maps, list) else (), 1):
        _fill_in(table, f"{FILE_NAME} {_map_name(table, number)}", environment)
    _fill_in(raw.get("webhook"), f"{FILE_NAME} [webhook]", environment)
    try:
        stated = SettingsFile.model_validate(raw)
    except ValidationError as fault:
        raise _explained(fault.errors(include_url=False)[0], raw) from None
    ids = [one.id for one in stated.basemap]
    for number, name in enumerate(ids):
        if name in ids[:number]:
            raise UsageError("设置不可用", where=f"{FILE_NAME} [[basemap]] id", found=name, expected="每张底图一个编号")
    return stated


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as fault:
        raise UsageError("设置文件读不出", where=str(path), found=fault.strerror or "") from None
    except UnicodeDecodeError:
        raise UsageError("设置文件不是 UTF-8", where=FILE_NAME, remedy="另存为 UTF-8") from None
    except tomllib.TOMLDecodeError as fault:
        # Its own text may quote the file, and so a key; only the place is told.
        place = re.search(r"line (\d+), column (\d+)", str(fault))
        found = f"第 {place[1]} 行第 {place[2]} 列" if place else "文件末尾"
        raise UsageError("设置文件不是 TOML", where=FILE_NAME, found=found, expected="键 = 值，文字写在引号里",
                         remedy="见 docs/basemaps.md 的例子") from None  # fmt: skip


def _fill_in(table: Any, where: str, environment: Mapping[str, str]) -> None:
    for name in _HIDDEN:
        text = table.get(name) if isinstance(table, dict) else None
        if not isinstance(text, str):
            continue
        for variable in re.findall(r"\$\{(\w+)\}", text):
            if not environment.get(variable):
                raise UsageError("环境变量未设置", where=f"{where} {name}", found=f"${{{variable}}}",
                                 remedy=f"启动前先 export {variable}=…")  # fmt: skip
        table[name] = re.sub(r"\$\{(\w+)\}", lambda match: environment[match[1]], text)


def _map_name(table: Any, number: int) -> str:
    name = table.get("id") if isinstance(table, dict) else None
    return f"[[basemap]] {name[:32] if isinstance(name, str) and name else f'第{number}张'}"


def _explained(fault: Mapping[str, Any], raw: dict[str, Any]) -> UsageError:
    """A fault that pydantic found, as one line."""
    table, *rest = fault["loc"]
    if table == "basemap" and rest:
        number = rest.pop(0)
        holder, where = raw[table][number], _map_name(raw[table][number], number + 1)
    else:
        holder, where = raw.get(table), f"[{table}]"
    context = fault.get("ctx", {})
    key = str(context.get("name") or (rest[0] if rest else ""))
    fields = _TABLES.get(table, SettingsFile).model_fields
    if fault["type"] == "extra_forbidden":
        return UsageError("没有这个设置", where=f"{FILE_NAME} {where}" if key else FILE_NAME, found=key or table,
                          expected=" ".join(fields), remedy="改正或删去")  # fmt: skip
    if not key:
        expected = "[[basemap]]" if table == "basemap" else f"[{table}]"
        return UsageError("设置不可用", where=FILE_NAME, found=table, expected=f"写成表 {expected}，下面逐行写 键 = 值")
    value = holder.get(key)
    shown = f'"{value[:60]}"' if isinstance(value, str) else str(value)[:60]
    found = "没有写" if value is None else "已写，不显示" if key in _HIDDEN else shown
    # Only our own rules say in words what is allowed; pydantic's texts are English.
    expected = context["expected"] if fault["type"] == RULE else fields[key].description or _ALLOWED[key]
    return UsageError("设置不可用", where=f"{FILE_NAME} {where} {key}", found=found, expected=expected,
                      remedy=f"改 {FILE_NAME} 后重新启动")  # fmt: skip


_TABLES: dict[str, type[BaseModel]] = {
    "server": ServerTable,
    "thresholds": ThresholdsTable,
    "screen": ScreenTable,
    "report": ReportTable,
    "webhook": WebhookTable,
    "basemap": BaseMap,
}
