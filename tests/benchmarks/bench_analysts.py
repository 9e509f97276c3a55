"""Fifty analysts who click every two seconds: what each click asks of the server, timed until the last answer, after 40 s
in which the server gets to know what is asked.

Run: PYTHONPATH=.:tests/benchmarks .venv/bin/python tests/benchmarks/bench_analysts.py [WORKSPACE [WORKERS [ANALYSTS [SECONDS]]]]
"""

from __future__ import annotations

import asyncio
import random
import sys
import time

import httpx
from bench_page import city, served, show
from clock import calibration

EVERY_S, WARM_UP_S = 2.0, 40.0
MONDAY = 1_794_182_400  # 2026-11-09, when the last complete week of the demo city begins
CATEGORIES = ("刑事", "治安", "交通", "火灾", "纠纷", "求助", "其他")
CALLBACKS = (
    (("workbench-focus", "data"),),
    (("workbench-frame", "data"),),
    (("workbench-side", "data"), ("workbench-figure", "data")),
    (("workbench-more", "data"),),
    (("workbench-values", "data"),),
)


def body(outputs: tuple[tuple[str, str], ...], search: str, level: str) -> dict:
    """What the browser posts for one callback."""
    source = {"workbench-focus": "where", "workbench-values": "request"}.get(outputs[0][0], "what")
    value = {"search": search, "level": level} if source == "request" else {"search": search}
    named = [{"id": name, "property": prop} for name, prop in outputs]
    single = len(outputs) == 1
    output = ".".join(outputs[0]) if single else ".." + "...".join(".".join(one) for one in outputs) + ".."
    return {
        "output": output,
        "outputs": named[0] if single else named,
        "inputs": [{"id": f"workbench-{source}", "property": "data", "value": value}],
        "changedPropIds": [f"workbench-{source}.data"],
        "parsedChangedPropsIds": [f"workbench-{source}.data"],
    }


class Analyst:
    """One browser's worth of questions."""

    def __init__(self, address: str, districts: list[str], number: int):
        self.client = httpx.AsyncClient(base_url=address, timeout=60)
        self.chance = random.Random(number)
        self.districts = districts
        self.faults = 0

    def search(self) -> tuple[str, str]:
        """An address and a level: mostly the current week, the whole city or a district, one category or none."""
        parts, pick = [], self.chance.choices
        area = pick((None, self.chance.choice(self.districts)), (5, 5))[0]
        if area:
            parts.append(f"area={area}")
        parts += [f"category={name}" for name in self.chance.sample(CATEGORIES, pick((0, 1, 2), (5, 4, 1))[0])]
        if self.chance.random() < 0.1:
            parts.append("hours=18-23")
        week = pick((0, 1, self.chance.randint(2, 20)), (7, 2, 1))[0]
        start, end = (time.strftime("%Y-%m-%d", time.gmtime(MONDAY - (week - k) * 604_800)) for k in (0, 1))
        parts.append(f"from={start}&to={end}")
        return "?" + "&".join(parts), pick(("district", "street", "grid"), (5, 3, 2))[0]

    async def click(self) -> float:
        search, level = self.search()
        began = time.perf_counter()
        answers = await asyncio.gather(
            *(self.client.post("/_dash-update-component", json=body(one, search, level)) for one in CALLBACKS)
        )
        self.faults += sum(answer.status_code != 200 or '"fault"' in answer.text[:40] for answer in answers)
        return (time.perf_counter() - began) * 1000

    async def work(self, seconds: float) -> list[float]:
        taken = []
        await asyncio.sleep(self.chance.random() * EVERY_S)
        from_now, until = time.perf_counter() + WARM_UP_S, time.perf_counter() + WARM_UP_S + seconds
        while time.perf_counter() < until:
            counts, took = time.perf_counter() >= from_now, await self.click()
            taken += [took] if counts else []
            await asyncio.sleep(max(0.0, EVERY_S - took / 1000))
        return taken


async def run(address: str, analysts: int, seconds: float) -> tuple[list[float], int]:
    async with httpx.AsyncClient(base_url=address) as client:
        rows = (await client.get("/api/v1/counts?level=district")).json()["rows"]
    people = [Analyst(address, [row["code"] for row in rows], number) for number in range(analysts)]
    await asyncio.gather(*(one.click() for one in people[:4]))
    taken = await asyncio.gather(*(one.work(seconds) for one in people))
    return [time for one in taken for time in one], sum(one.faults for one in people)


def main() -> None:
    workers = sys.argv[2] if len(sys.argv) > 2 else "2"
    analysts, seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 50, float(sys.argv[4]) if len(sys.argv) > 4 else 30.0
    with city(sys.argv[1:]) as workspace, served(workspace, workers) as address:
        print(f"calibration {calibration():.2f} s")
        taken, faults = asyncio.run(run(address, analysts, seconds))
        show(f"{analysts} analysts, a click every {EVERY_S:.0f} s, {workers} workers", taken)
        print(f"faults {faults}")


if __name__ == "__main__":
    main()
