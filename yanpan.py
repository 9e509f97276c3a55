"""The command line: composes etl, data and dashboard. Wrong input prints one line; a traceback is a bug."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from typer.exceptions import TyperException

from data.errors import UsageError, YanpanError
from data.releases import Workspace

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="研判：综治中心的离线态势研判工作台",
)
releases_app = typer.Typer(no_args_is_help=True, help="发布的清单、切换与清理")
app.add_typer(releases_app, name="releases")
out, err = Console(), Console(stderr=True)

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", help="工作区文件夹", envvar="YANPAN_WORKSPACE", show_envvar=True)
]
DEFAULT = Path("workspace")
WARNINGS_SHOWN = 8


class _Bar:
    """A progress bar on a terminal; nothing elsewhere, so logs stay readable."""

    def __init__(self) -> None:
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=err,
            transient=True,
            disable=not err.is_terminal,
        )

    def __enter__(self):
        self.bar.start()
        self.task = self.bar.add_task("开始", total=1.0)
        return lambda stage, share: self.bar.update(self.task, description=stage, completed=share)

    def __exit__(self, *_):
        self.bar.stop()


@app.command()
def demo(
    scale: Annotated[str, typer.Option(help="small、city 或 huge")] = "small",
    seed: Annotated[int, typer.Option(help="随机种子")] = 1,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """写一座合成城市（明确标注合成数据）：inbox/ 里的文件、sources.toml、truth.json。"""
    from etl.demo import write_demo

    if scale not in ("small", "city", "huge"):
        raise UsageError("没有这个规模", where="--scale", found=scale, expected="small、city 或 huge")
    with _Bar() as progress:
        made = write_demo(workspace, scale=scale, seed=seed, progress=progress)
    out.print(
        f"合成城市已写入 {workspace}（{made.seconds:.1f} 秒）。下一步: yanpan etl", highlight=False, soft_wrap=True
    )


@app.command()
def etl(
    sources: Annotated[Path | None, typer.Option(help="来源清单，默认工作区的 sources.toml")] = None,
    append: Annotated[bool, typer.Option("--append", help="把新文件加到当前发布上")] = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """从来源文件做成一次发布。退出码：0 已发布或没有新内容，1 数据被拒，2 用法不对。"""
    from etl import pipeline

    with _Bar() as progress:
        done = pipeline.run(Workspace(workspace), sources_file=sources, append=append, progress=progress)
    if done.release_id is None:
        out.print("没有新内容：来源文件与当前发布相同，未发布。", soft_wrap=True)
        return
    table = Table(
        "来源", "类型", "文件", "读入", "入库", "退回", title=f"发布 {done.release_id}（{done.seconds:.1f} 秒）"
    )
    for column in table.columns[2:]:
        column.justify = "right"
    for source, kind, files, rows_in, rows_out, rejected in done.rows:
        table.add_row(source, kind, str(files), f"{rows_in:,}", f"{rows_out:,}", f"{rejected:,}")
    out.print(table)
    for warning in done.warnings[:WARNINGS_SHOWN]:
        out.print(f"提醒 {warning}", highlight=False, markup=False, soft_wrap=True)
    if done.warnings:
        out.print(f"共 {len(done.warnings)} 条提醒，全部在 {done.path}/quality.json", highlight=False, soft_wrap=True)
    _tell_alerts(workspace)


def _tell_alerts(workspace: Path) -> None:
    """New alerts to the webhook, where one is set; what does not go now goes later."""
    from dashboard.notices import deliver, queue_alerts
    from dashboard.settings import read_settings
    from data.app_db import AppDb

    settings = read_settings(workspace)
    if settings.webhook is None:
        return
    db = AppDb(settings.app_db)
    queue_alerts(db, settings.releases)
    _, stayed = deliver(db, settings.webhook.to_hook())
    if stayed:
        out.print("预警通知没有送到，服务运行时会再送", soft_wrap=True)


@app.command()
def check(
    target: Annotated[str | None, typer.Argument(help="发布编号、发布文件夹或 .gpkg，默认当前发布")] = None,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """检查一次发布：GeoPackage 规则、表结构、行数核对、拓扑、编码规则。有错误时退出码为 1。"""
    from data.check import check as check_release

    space = Workspace(workspace)
    if target is None:
        path = space.current()
    elif (space.releases_dir / target).is_dir():
        path = space.releases_dir / target
    else:
        path = Path(target)
    report = check_release(path)
    for line in report.lines():
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="监听地址，默认 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="端口，默认 8050")] = None,
    workers: Annotated[int | None, typer.Option(help="进程数，默认 1")] = None,
    open_: Annotated[bool, typer.Option("--open", help="演示模式：不登录，只限本机")] = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """启动页面与接口。工作区的 yanpan.toml 里可写地址、阈值和底图（docs/basemaps.md）；命令行优先。"""
    from dashboard import basemaps
    from dashboard.app import serve as serve_app
    from dashboard.settings import read_settings

    settings = read_settings(workspace, open_mode=open_, host=host, port=port, workers=workers)
    basemaps.describe(settings)  # say at once that a file is missing, or that nothing was published
    Workspace(workspace).current()
    host, port = settings.host, settings.port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                "端口不能用",
                where=f"{host}:{port}",
                found=error.strerror or "",
                remedy="换一个 --port，或停掉占用它的程序",
            ) from error
    mode = "（演示模式：不登录，只限本机）" if open_ else "（本版尚无登录，页面打不开；要看页面请加 --open）"
    out.print(f"研判已启动{mode}: http://{host}:{port}/workbench   停止: Ctrl+C", highlight=False, soft_wrap=True)
    serve_app(settings)


@app.command()
def report(
    period: Annotated[
        str, typer.Option(help="2026-W46、2026-11、2026-11-H1、2026-Q3、2026 或 起..止（不含止）；默认最近一个完整的周")
    ] = "",
    area: Annotated[str, typer.Option(help="区划代码或网格编码；默认全部")] = "",
    format_: Annotated[str, typer.Option("--format", help="pptx,docx,pdf,html 中的几个")] = "pptx,docx,pdf,html",
    out_dir: Annotated[Path | None, typer.Option("--out", help="放材料的文件夹，默认当前文件夹")] = None,
    kind: Annotated[str, typer.Option(help="brief：碰头会材料")] = "brief",
    circulate: Annotated[bool, typer.Option("--circulate", help="供通报的一版：小数隐去")] = False,
    again: Annotated[Path | None, typer.Option("--from", help="用材料旁边的 .json 重做，数与当时相同")] = None,
    schedule: Annotated[bool, typer.Option("--schedule", help="做出到期而还没有的材料，供定时器调用")] = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """做碰头会材料（PPTX、DOCX、PDF、HTML），写完自检，不符不发布。"""
    from dashboard.reports import commands
    from dashboard.settings import read_settings

    if kind != "brief":
        raise UsageError("没有这种材料", where="--kind", found=kind, expected="brief")
    settings = read_settings(workspace)
    if schedule and (period or area or again or circulate or out_dir):
        raise UsageError("--schedule 不与别的选项同用", where="--schedule", found="--period、--area、--from、--circulate 或 --out",
                         expected="写在 yanpan.toml 的 [report]")  # fmt: skip
    if schedule:
        with _Bar() as progress:
            made = commands.scheduled(settings, progress)
        for pack, files in made:
            for text in pack.warnings:
                out.print(f"提醒 {pack.period} {text}", highlight=False, markup=False, soft_wrap=True)
            for path in files:
                out.print(f"已写出 {path}", highlight=False, soft_wrap=True)
        if not made:
            out.print("到期的材料都已做好。", soft_wrap=True)
        return
    with _Bar() as progress:
        pack, made = commands.one(settings, period, area, format_, out_dir or Path(), circulate, again, progress)
    for text in pack.warnings:
        out.print(f"提醒 {text}", highlight=False, markup=False, soft_wrap=True)
    for path in made:
        out.print(f"已写出 {path}", highlight=False, soft_wrap=True)


@releases_app.command("list")
def releases_list(workspace: WorkspaceOption = DEFAULT) -> None:
    """列出发布，标出当前的一次。"""
    from data.releases import list_releases

    found = list_releases(Workspace(workspace))
    if not found:
        out.print("还没有发布，先运行 yanpan etl")
    for release in found:
        mark = "*" if release.is_current else " "
        out.print(f"{mark} {release.release_id}  {release.bytes / 1e6:,.1f} MB", highlight=False)


@releases_app.command("use")
def releases_use(release_id: str, workspace: WorkspaceOption = DEFAULT) -> None:
    """切换到另一次发布。"""
    from data.releases import use

    use(Workspace(workspace), release_id)
    out.print(f"当前发布: {release_id}", highlight=False)


@releases_app.command("prune")
def releases_prune(
    keep: Annotated[int, typer.Option(help="保留最近几次")] = 10, workspace: WorkspaceOption = DEFAULT
) -> None:
    """删除较早的发布，当前的一次总是留下。"""
    from data.releases import prune

    gone = prune(Workspace(workspace), keep=keep)
    out.print(f"已删除 {len(gone)} 次发布", highlight=False)


def main() -> None:
    """Run the command line; every fault becomes one line and an exit code."""
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        code = 130
    except TyperException as error:
        said = " ".join(str(getattr(error, "message", "") or error).split())
        err.print(f"用法不对 | 发现: {said} | 处理: yanpan --help", highlight=False, markup=False, soft_wrap=True)
        code = 2
    except UsageError as error:
        code = _told(error, 2)
    except YanpanError as error:
        code = _told(error, 1)
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        if os.environ.get("YANPAN_DEBUG"):
            raise
        # Only the kind is shown: the text of an unforeseen error may hold a value of the data.
        where = getattr(error, "filename", None) or ""
        found = getattr(error, "strerror", None) or type(error).__name__
        code = _told(
            YanpanError(
                "程序没有料到的错误",
                where=str(where),
                found=str(found),
                remedy="设 YANPAN_DEBUG=1 重试，把输出交给维护者",
            ),
            1,
        )
    sys.exit(code or 0)


def _told(error: YanpanError, code: int) -> int:
    err.print(error.line(), highlight=False, markup=False, soft_wrap=True)
    return code


if __name__ == "__main__":
    main()
