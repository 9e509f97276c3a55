"""Any database through a SQLAlchemy URL and a query; no password reaches a message."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from etl.extract.raw import Raw, clean_name, resolve, unique_names
from etl.extract.workbook import _text
from etl.faults import FileFault
from etl.sources import Source

_ROWS_AT_ONCE = 50_000


def read(source: Source) -> Raw:
    """Run the source's query and hand on its rows as text.

    Raises
    ------
    FileFault, ColumnFault
    """
    try:
        url = make_url(source.url)
    except sa.exc.ArgumentError as error:
        raise FileFault(
            "数据库地址无法识别",
            where=source.id,
            expected="SQLAlchemy 地址，如 mysql+pymysql://…",
            remedy="改正来源的 url（密码用 ${NAME}）",
        ) from error
    shown = f"{url.drivername}://{url.host or ''}"  # no user, password, path or option: any of them may be a secret
    try:
        engine = sa.create_engine(url)
        with engine.connect().execution_options(stream_results=True) as connection:
            result = connection.execute(sa.text(source.query))
            names = unique_names(list(map(clean_name, result.keys())))
            batches = [_batch(names, rows) for rows in result.partitions(_ROWS_AT_ONCE)]
        engine.dispose()
    except (sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise FileFault(
            "缺少数据库驱动",
            where=f"{source.id} {shown}",
            found=url.drivername,
            remedy="安装驱动，如 pip install 'yanpan[databases]'",
        ) from error
    except (sa.exc.SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
        for secret in filter(None, (url.password, url.database, url.username, *url.query.values())):
            reason = reason.replace(str(secret), "***")
        reason = re.split("['\"]", reason)[0]  # drivers quote values of the data
        raise FileFault(
            "数据库查询失败", where=f"{source.id} {shown}", found=reason[:160], remedy="检查地址、权限与 query"
        ) from error
    if not batches:
        raise FileFault(
            "查询没有返回数据", where=f"{source.id} {shown}", found="0 行", expected="至少一行", remedy="检查 query"
        )
    table = pa.Table.from_batches(batches)
    row = np.arange(1, table.num_rows + 1, dtype=np.int64)
    return Raw(shown, table, row, resolve(source, shown, names), encoding="utf-8")


def _batch(names: list[str], rows: Sequence[sa.Row]) -> pa.RecordBatch:
    return pa.record_batch({name: pa.array([_text(r[i]) for r in rows], pa.string()) for i, name in enumerate(names)})
