"""Settings of the dashboard: ``yanpan.toml`` of the workspace and the command line, checked together at start and
handed to ``create_app``.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from dashboard.basemaps import BaseMap
from dashboard.settings_file import FILE_NAME, ReportTable, ScreenTable, WebhookTable, read_file
from data.errors import UsageError
from data.store import Limits

VARIABLE = "YANPAN_DASHBOARD"  # environment variable by which the serving parent hands its settings to the workers


class Settings(BaseModel):
    """What the dashboard runs with.

    Attributes
    ----------
    workspace : Path
        Its ``releases/`` is served.
    host, port : str, int
        Address to listen on.
    workers : int
        Processes.
    open_mode : bool
        No sign-in: everyone acts as 分析 over the whole city. Loopback hosts only.
    limits : Limits
        Thresholds of the Store.
    basemaps : tuple of BaseMap
        Maps a reader may put under our own layers.
    screen : ScreenTable
        The wall.
    report : ReportTable
        The 碰头会 packs.
    webhook : WebhookTable or None
        Where alerts and packs are told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    workspace: Path
    host: str = "127.0.0.1"
    port: int = Field(8050, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64)
    open_mode: bool = False
    limits: Limits = Limits()
    basemaps: tuple[BaseMap, ...] = ()
    screen: ScreenTable = ScreenTable()
    report: ReportTable = ReportTable()
    webhook: WebhookTable | None = None

    @field_validator("workspace")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @model_validator(mode="after")
    def _open_only_on_loopback(self) -> Settings:
        if self.open_mode and not is_loopback(self.host):
            raise ValueError("open_mode")
        return self

    @property
    def releases(self) -> Path:
        """Directory of the releases."""
        return self.workspace / "releases"

    @property
    def app_db(self) -> Path:
        """What people write while they work."""
        return self.workspace / "app.db"

    def to_environment(self, environment: MutableMapping[str, str] = os.environ) -> None:
        """Leave the settings for worker processes."""
        environment[VARIABLE] = self.model_dump_json()

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> Settings:
        """The settings the parent left.

        Raises
        ------
        UsageError
            Where there are none.
        """
        if VARIABLE not in environment:
            raise UsageError("没有服务设置", where=VARIABLE, remedy="用 yanpan serve 启动")
        return cls.model_validate_json(environment[VARIABLE])


def read_settings(
    workspace: Path, *, open_mode: bool = False, environment: Mapping[str, str] = os.environ, **given: object
) -> Settings:
    """Settings from ``yanpan.toml`` of the workspace, where there is one, and the command line, which wins.

    Parameters
    ----------
    given : host, port, workers
        From the command line; None where it says nothing.
    environment : mapping
        For ``${NAME}`` in addresses and keys of base maps.

    Raises
    ------
    UsageError
        Naming the key, what was found and what is allowed. Addresses and keys of base maps are never shown.
    """
    stated = read_file(Path(workspace).expanduser() / FILE_NAME, environment)
    limits = Limits(**stated.thresholds.model_dump(exclude_none=True))
    if limits.strong_p > limits.mild_p:
        raise UsageError("设置不可用", where=f"{FILE_NAME} [thresholds] strong_p", found=str(limits.strong_p),
                         expected=f"不大于 mild_p（{limits.mild_p}）")  # fmt: skip
    server = stated.server.model_dump(exclude_none=True)
    named = {name: value for name, value in given.items() if value is not None}
    source = FILE_NAME + " [server] host" if "host" in server and "host" not in named else "--host"
    return checked_settings(source, workspace=workspace, open_mode=open_mode, limits=limits, basemaps=stated.basemap,
                            screen=stated.screen, report=stated.report, webhook=stated.webhook, **{**server, **named})  # fmt: skip


def checked_settings(host_from: str = "--host", **values: object) -> Settings:
    """Settings from values.

    Raises
    ------
    UsageError
        Naming the setting, what was given and what is allowed; ``host_from`` says where the host stands.
    """
    try:
        return Settings(**values)
    except ValidationError as fault:
        first = fault.errors()[0]
        name = ".".join(map(str, first["loc"])) or "host"
        if "open_mode" in first["msg"]:
            raise UsageError(
                "演示模式只在本机开放",
                where=host_from,
                found=str(values.get("host")),
                expected="127.0.0.1、::1 或 localhost",
                remedy="去掉 --open，或改用本机地址",
            ) from None
        raise UsageError("设置不可用", where=name, found=str(first["input"]), expected=first["msg"]) from None


def is_loopback(host: str) -> bool:
    """Whether a host only listens on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
