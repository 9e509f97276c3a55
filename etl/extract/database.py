"""Any database through a SQLAlchemy URL and a query; no password reaches a message."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from etl.extract.raw import Raw, clean_name, resolve, unique_names
from etl.extract.workbook import _text
from etl.faults import FileFault
from etl.sources import Source


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
        with engine.connect() as connection:
            result = connection.execute(sa.text(source.query))
            keys, rows = list(result.keys()), result.fetchall()
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
        for secret in filter(None, (url.password, url.database, url.username)):
            reason = reason.replace(str(secret), "***")
        raise FileFault(
            "数据库查询失败", where=f"{source.id} {shown}", found=reason[:160], remedy="检查地址、权限与 query"
        ) from error
    if not rows:
        raise FileFault(
            "查询没有返回数据", where=f"{source.id} {shown}", found="0 行", expected="至少一行", remedy="检查 query"
        )
    names = unique_names([clean_name(k) for k in keys])
    table = pa.table({name: pa.array([_text(r[i]) for r in rows], pa.string()) for i, name in enumerate(names)})
    return Raw(
        shown, table, np.arange(1, len(rows) + 1, dtype=np.int64), resolve(source, shown, names), encoding="utf-8"
    )
