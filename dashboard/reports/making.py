"""A pack from a question to checked files on disk, each of them whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dashboard import language
from dashboard.reports import maps
from dashboard.reports.asked import Asked
from dashboard.reports.model import SECTIONS, Pack, Picture
from dashboard.reports.pack import make_pack
from dashboard.reports.question import Question
from dashboard.supervised import of_area
from data.errors import ReleaseError, UsageError
from data.selection import Selection, parse_period
from data.store import Limits, Release, Scope

FORMS = ("pptx", "docx", "pdf", "html")
Told = Callable[[str, float], None]


def asked_of(release: Release, scope: Scope, question: Question) -> Asked:
    """A question put to a release.

    Raises
    ------
    ParameterError, OutsideScope, UnknownArea
    """
    start, end = parse_period(question.period)
    area = release.units.allowed(question.area, scope) if question.area else None
    ledger = question.ledger()
    items = of_area(release, scope, area, ledger)
    selection = Selection(start, end, area=question.area or None)
    return Asked(
        release,
        scope,
        selection,
        area,
        items,
        ledger,
        frozenset(question.decided_before),
        question.today,
        question.decimals,
    )


def pack_of(at: Asked, question: Question, told: Told = lambda stage, share: None) -> Pack:
    """The pack of a question."""
    language.use("zh")
    made = [item for item in at.items if item.id in question.made]
    return make_pack(at, order=question.order or tuple(SECTIONS), comments=question.comments, made=made,
                     circulated_under=question.circulated_under, units=question.units, signed=question.signed, told=told)  # fmt: skip


def write_form(form: str, pack: Pack, pictures: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a form by what their names add: PDF comes as A4 and as 16:9."""
    # Each library only where its form is wanted: together they take a second to load.
    if form == "pptx":
        from dashboard.reports.files.pptx_file import write_pptx

        return {".pptx": write_pptx(pack, pictures)}
    if form == "docx":
        from dashboard.reports.files.docx_file import write_docx

        return {".docx": write_docx(pack, pictures)}
    if form == "pdf":
        from dashboard.reports.files.pdf_file import write_pdf

        return {"_A4.pdf": write_pdf(pack, pictures, "a4"), "_16x9.pdf": write_pdf(pack, pictures, "16x9")}
    from dashboard.reports.files.html_file import write_html

    return {".html": write_html(pack, pictures)}


def make_files(
    folder: Path,
    scope: Scope,
    question: Question,
    forms: Sequence[str],
    out: Path,
    told: Told = lambda stage, share: None,
) -> tuple[Pack, list[Path]]:
    """Write a pack and keep what it was made from beside it.

    Parameters
    ----------
    folder : Path
        Of the release.
    out : Path
        Folder for the files; made where it is not there. Files of the same names are replaced, each at once.

    Raises
    ------
    PackDisagrees
        A number is not what the release says; nothing is written.
    FontMissing
        A PDF or a map cannot be drawn without a Chinese font; nothing is written.
    UsageError, ReleaseError
    """
    # Reads back every kind of file: a server that only shows pages does without.
    from dashboard.reports.checking import check_arithmetic, check_counts, check_file, check_texts

    files: dict[str, bytes] = {}
    stem = file_stem(question)
    release = _opened(folder, question)
    try:
        at = asked_of(release, scope, question)
        pack = pack_of(at, question, lambda stage, share: told(stage, 0.4 * share))
        told("地图", 0.4)
        pictures = _pictures(at, pack, forms)
        told("逐行重数", 0.55)
        whole = pack_of(at, replace(question, circulated_under=None)) if pack.circulated else pack
        check_counts(release, scope, [fact for section in whole.sections for fact in section.facts])
        check_arithmetic(whole, question.decimals)
    finally:
        release.close()
    again = _again(folder, scope, question, told)
    for i, form in enumerate(forms):
        told(f"写 {form}", 0.75 + 0.2 * i / len(forms))
        anew = write_form(form, again, pictures)
        for ending, file in write_form(form, pack, pictures).items():
            check_file(form, file, anew[ending])
            check_texts(form, file, pack.texts())
            files[stem + ending] = file
    files[stem + ".json"] = question.to_json().encode()
    return pack, _publish(files, out)


def _again(folder: Path, scope: Scope, question: Question, told: Told) -> Pack:
    """The pack from the release opened anew: nothing remembered can stand behind a wrong number."""
    release = _opened(folder, question)
    try:
        told("自检", 0.6)
        return pack_of(asked_of(release, scope, question), question)
    finally:
        release.close()


def _opened(folder: Path, question: Question) -> Release:
    try:
        return Release(folder, Limits(**question.limits))
    except FileNotFoundError:
        raise ReleaseError("没有这次发布", where=folder.name, remedy="yanpan releases list") from None


def _pictures(at: Asked, pack: Pack, forms: Sequence[str]) -> dict[str, bytes]:
    names = {block.name for section in pack.sections for block in section.blocks if isinstance(block, Picture)}
    now = datetime.now(UTC)
    return {name: maps.draw(at, name, now, lists=not pack.circulated) for name in sorted(names)} if forms else {}


def file_stem(question: Question) -> str:
    """研判_碰头会_2026-W46_r20261116-060000; the area's code where it is not the whole, and 通报 in editions for circulation."""
    parts = [
        "研判",
        "碰头会",
        question.period.replace("..", "至"),
        question.area,
        question.release,
        "通报" if question.circulated_under else "",
    ]
    return "_".join(filter(None, parts))


def _publish(files: dict[str, bytes], out: Path) -> list[Path]:
    """Put the files where they belong; a crash leaves whole files or none."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".yanpan-", dir=out))
    except OSError as fault:
        raise UsageError(
            "输出文件夹不能用", where=str(out), found=fault.strerror or "", remedy="换一个 --out"
        ) from None
    try:
        for name, content in files.items():
            with (aside / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for name in files:
            os.replace(aside / name, out / name)
    except OSError as fault:
        raise UsageError("材料写不下", where=str(out), found=fault.strerror or "", remedy="腾出空间后重做") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return [out / name for name in files]
