"""Write docs/methods.md from the docstrings of geo/, the cards below and the captions of the figures.

``python docs/drawing/page.py``; draw.py makes the figures first. A test keeps the page and the docstrings together.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from dataclasses import dataclass
from pathlib import Path

from geo.result import Result

DOCS = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Card:
    """One method: what it answers, how to read it and how not to, its figure, and the numbers it was held against."""

    title: str
    functions: str  # room.name, several apart by spaces
    question: str
    reading: str
    caution: str
    figure: str
    reference: str


CARDS = (
    (
        "空间",
        (
            Card(
                "核密度", "density.kernel_density", "事件密集在哪里，每平方公里多少起？",
                "在米制投影上算，画的就是算的。边界校正后总量等于件数。颜色是密度，不是检验；要说“热点”看 Gi*。",
                "颜色深不等于经过检验；带宽换了图就换，看图注里的带宽。默认坐标（`location_quality` 为 pile_up、centroid）要先去掉。", "density", "与逐点精确求和比，误差不超过峰值的 1%；矩形内高斯核的闭式解；封闭边界内合计等于件数。",
            ),
            Card(
                "密度变化", "density.density_change", "两段时间的密度差在哪里？",
                "两段折成等长；基数接近 0 的地方不写倍数。只画差，不下结论。",
                "图上没有检验，不能据此说“上升了”。", "density_difference", "同一面相减为 0；不等长的两段按天数折算后与手算相同。",
            ),
            Card(
                "热点 Gi*", "autocorrelation.getis_ord_star autocorrelation.contiguity",
                "哪些网格和它周围一起明显高于全市平均？",
                "只有 q≤0.05 的才算热点。z 与各网格之间的散布比，p 与“全市平均下的偶然”比，两者强弱可以不同。",
                "热点说的是这一期，不是下一期；下一期应验多少看[热点准不准](#热点准不准)。φ 要用与窗口一样长的时期估，不然会报太多。90% 的标签不算热点。", "gi_star", "六点算例 z = −1.39727626 … 2.02424331（与发表的八位数相同）；随机图与 esda 差 <1e-9；p 与 scipy 的二项尾相同。",
            ),
            Card(
                "局部 Moran", "autocorrelation.local_moran", "这个区像它的邻居，还是反着来？",
                "高—高是成片的高；高—低是孤立的高，低—高是高发区里的洼地。",
                "没有标出的区不是“没有差别”，是看不出。一个极大的值会抬高总均值。", "moran", "圣路易斯 78 县 HR8893：平均 I = 0.24365582621771659；随机图的 I 与 esda 差 <1e-9。",
            ),
            Card(
                "率与收缩", "autocorrelation.empirical_bayes_rate autocorrelation.funnel_limits",
                "按人口算，哪里真的高？",
                "人口少的区，率往总率靠拢之后再比；漏斗之外的才值得问。",
                "漏斗之内不能与偶然区分；人口不等于在场的人，商圈的率会虚高。", "rates funnel", "stl_hom 首值 2.36718950e-05（与 esda 相同）；方差为负时截到 0，五个区都等于均值。",
            ),
            Card(
                "重复发生的地点", "evaluation.repeat_places", "同一个地点发生了几次？",
                "默认坐标（派出所、网格中心）先排除并计数。",
                "坐标取整过的数据里，“处”是街区或楼栋，不是门牌。", "repeats", "逐点比对的穷举。",
            ),
            Card(
                "集中度", "evaluation.concentration", "多大一部分地点占了八成事件？",
                "事件少于地点时普通基尼系数虚高，看校正值。",
                "随机撒点也不平均；只能和件数相近的时期比。", "curve", "平均分布为 0，全在一处为 1；Bernasco 与 Steenbeek 的校正式手算。",
            ),
        ),
    ),
    (
        "时空",
        (
            Card(
                "Knox 与近重复", "spacetime.knox spacetime.near_repeat", "一起发生之后，附近不久会不会再来一起？",
                "实际成对数比期望多多少。同一地点单列；整张表一起做多重检验。",
                "只说“又近又快”的成对比偶然多，不说原因；研究期内人口或巡逻有大变动也会显出来。同一起警情重复录入会显成同一地点的近重复。p 最小是 1/(置换次数+1)。", "knox near_repeat", "burkitt δ=20 τ=5：统计量 13，p_poisson 0.14624558；芝加哥 522 起纵火与 Near Repeat Calculator 的整张实际对数表相同。",
            ),
            Card(
                "近重复的连线", "spacetime.near_repeat_links", "是哪些事件、哪些地方在推高它？",
                "连线的是成对的近事件；红点是多得不像偶然的。", "红点是“邻近事件多”，不是“它引起了别的”。", "links", "与 pointpats KnoxLocal 的超几何 p 相同。",
            ),
            Card(
                "新增与持续热点", "spacetime.emerging_hotspots", "热点是新出现的、一直在的，还是已经过去？",
                "每格每期与全部格、全部期比；按历史分八类（新增、连续、加强、减弱、持续、零星、反复、已过），冷的一面同样八类。",
                "“新增”只指最后一期才有；已连着几期的叫“连续”。与整个时段比，全市都高的那一期会处处偏热。", "emerging", "把立方体展开成一张图后与 esda 差 <1e-9；每一类都有按定义写的序列。",
            ),
            Card(
                "趋势 Mann–Kendall", "spacetime.mann_kendall", "一列数是升是降，不管什么形状？",
                "并列值已从方差里扣除；不足 10 期时 p 较粗。",
                "各期当作互不相干：有季节、有惯性的序列会多报趋势，先去季节。", "trend", "S=17、var=125、τ=0.378、p=0.152（sfdep 页面）；τ 与斜率同 scipy；含并列的方差同全排列。",
            ),
            Card(
                "时空扫描", "spacetime.scan_permutation spacetime.scan_1d_p", "不知道在哪里、多大、多久，有没有一处聚集？",
                "圆柱有最大半径与最长时间；p 已计入“到处找”。",
                "圈是最像聚集的圆，不是真实边界；p 大于 0.05 的只当线索。", "scan", "小例与逐圆柱穷举相同；scan_1d：0.03902238 与 0.486814。",
            ),
            Card(
                "时段分摊", "spacetime.aoristic", "只知道“夜里到早上之间”，算在几点？",
                "按分钟摊到它跨过的钟点，合计仍是件数。", "摊开的是“可能的钟点”，不是实际钟点；时段越长越平。", "aoristic", "与逐分钟循环相同；权重合计等于件数。",
            ),
        ),
    ),
    (
        "变化",
        (
            Card(
                "两期之间的检验", "change.poisson_e_test change.dispersion change.widen change.benjamini_hochberg",
                "涨跌是真的，还是正常波动？",
                "百分数不说明什么：小数目翻一番常是偶然。p 按历史离散放宽，一层一起调整。",
                "查不出不等于没有变化：件数少时只有很大的变化才显得出（误报表里有查出的比例），先看上一级的合计。上期为 0 没有百分数。不足 8 个历史时期时 φ=1，答案里会说。", "e_test", "(0,3)=0.0884、(6,2)=0.1749、(25,16)=0.1648、7→12 p=0.266、7→21 p=0.008；随机数对与 scipy、statsmodels 相同。",
            ),
            Card(
                "结论的句子", "change.verdict change.verdict_words change.poisson_z", "怎样用一句话说？",
                "固定的几种说法，每句带数；上期为 0 不写百分数，未报与未齐不比。",
                "“正常波动”是“与偶然分不开”，不是“没有变”。Z（已知均值）不能用在两个单独的计数之间。", "statement", "安康 62→70 为 +12.9%（原报告误为 13.9%）；黄石、武威各行；已知均值 4 时 9 起的 Z=2.0。",
            ),
            Card(
                "控制带", "change.control_band", "这一周出没出格？",
                "与此前八个完整周比；本周不在内；缺报的周不当 0。",
                "八周的均值，不看季节与春节；节后头几周会偏。", "band", "±3√(1+1/8)，z 以手算核对；泊松噪声越界率见误报表。",
            ),
            Card(
                "缓慢漂移", "change.slow_drift change.cusum_run_length", "有没有一点一点变坏？",
                "累积和越线即有信号；误报平均多少周一次写明。",
                "基线那一年若不正常，后面都会报；信号之后要重定基线。", "drift", "平均运行长度与模拟、与独立的马尔可夫链相同。",
            ),
            Card(
                "季节与趋势", "change.seasonal_trend", "去掉季节之后是升是降？", "离群期降权；缺期留空不补。",
                "趋势线是平滑，不是检验；不足两个周期不算。", "season", "与 statsmodels STL 相同；种下的趋势与周期复原。",
            ),
            Card(
                "与哪一段比", "change.comparison_window change.window_of", "同比、环比到底比的是哪几天？",
                "半开区间，天数随答案给出；春节按偏移天数对齐。",
                "两期天数不同按日均比；春节对齐只管农历，不管调休。", "windows", "日历上的事实：闰日、第 53 周、年界、春节。",
            ),
            Card(
                "同等成熟", "change.reporting_delay change.equal_maturity_counts change.maturity_cutoffs change.immature_from",
                "最近几天是真少，还是还没登记完？",
                "比 95% 登记延迟还新的日子标“未齐”，不作判断。",
                "只知登记延迟，不知漏报。", "maturity", "种下的延迟分位数复原；两窗同龄计数与逐条循环相同。",
            ),
        ),
    ),
    (
        "视频覆盖与布点",
        (
            Card(
                "扇形与可视区", "coverage.sector coverage.visible_area coverage.direction_bearing", "一台摄像机看得到哪里？",
                "没有朝向画圆（上限估计）；有建筑就扣掉遮挡。规划估计，不含树木、招牌、灯光。",
                "平面估计，没有高度；装在墙上的摄像机，本楼不计遮挡（上限）。", "visibility", "方室一柱的闭式面积；随机街区与光线投射逐点相同；扇形面积误差 <0.1%。",
            ),
            Card(
                "覆盖率", "coverage.coverage_summary coverage.covered_points", "覆盖了多少，分母是什么？",
                "面积、道路、点位、事件四种分母不能互相代替；在线的另算；没给的是“未评估”。",
                "覆盖不等于看得清，也不等于有人看；点位数不是覆盖率。", "summary", "穷举与闭式的方格；重复与顺序不改变结果。",
            ),
            Card(
                "天网、地网九条", "coverage.rule_check coverage.working_cameras coverage.road_junctions", "逐条对照，哪里没做到？",
                "“未评估”不是“未覆盖”：没有出入口数据就不评。半径是设置，不是标准。",
                "半径、台数、比例都是本单位的设置；“未评估”要补数据，不是补摄像机。", "rules", "domain 文本九条的每一条都有按它的话摆的小例（tests/unit/geo/test_coverage_rules.py）。",
            ),
            Card(
                "维修次序", "coverage.repair_order", "先修哪一台？", "按修好后多看到的事件排；旁边有别的镜头的不急。",
                "按过去的事件排，事件会变；只看在不在视域，不看画质。", "repair", "小例逐台拿掉重算。",
            ),
            Card(
                "下一批点位", "siting.maximal_cover", "再装 k 台，装在哪里看到的事件最多？",
                "已有的保留；规模小给出最优，大的给近似并写明离最优最多差多少。",
                "候选点给什么就从什么里选；看到不等于防住。", "siting", "与 spopt（CBC）最优值相同；小例与全部组合相同。",
            ),
        ),
    ),
    (
        "事后检验",
        (
            Card(
                "热点准不准", "evaluation.prediction_accuracy_index evaluation.prediction_efficiency_index evaluation.hotspot_report evaluation.hit_rate",
                "上期的热点，这一期应验了多少？",
                "与“上期件数最多的同样面积”比；胜不过就照实说。",
                "一个类别、一种窗口的胜负，不能推到别的。", "accuracy", "obs (6,3,0)、pred (3,2,1)：PAI 2、1.5、1，PEI 1、1、1（ptools）。",
            ),
            Card(
                "处置有没有用", "evaluation.weighted_displacement_difference evaluation.choose_controls",
                "处置之后降了，是处置的功劳，还是大家都降，还是挪到旁边去了？",
                "减去对照和外环；挂牌那几周不算在“前”里；没有对照不作结论。",
                "对照要与处置地点相近；p 大于 0.05 只能说“还看不出”。", "displacement", "wdd((308,318),(207,110),(150,140),(178,157)) = −118，SE √1568，Z −2.98（ptools）。",
            ),
        ),
    ),
    (
        "坐标与区域",
        (
            Card(
                "坐标系", "crs.detect_datum crs.wgs84_to_gcj02 crs.gcj02_to_wgs84 crs.gcj02_to_bd09 crs.bd09_to_gcj02 crs.metre_crs",
                "这份坐标是真的 WGS 84，还是移过的？",
                "按三种读法各算落入申报区域的比例，差别不足就写“无法判定”。",
                "“无法判定”时按原样入库，要去问提供单位。", "datum", "116.404, 39.915 → 116.41024449916938, 39.91640428150164 等全部向量；往返 <1e-9 度。",
            ),
            Card(
                "区域", "regions.assign regions.topology regions.dissolve", "点归哪个网格，网格有没有缝和重叠？",
                "边上与重叠处归编码最小的，一个点也不丢。", "缝和重叠由提供单位改，系统不改边界。", "regions", "与 shapely 逐点判断相同；与 geopandas sjoin 逐点相同（bench）。",
            ),
        ),
    ),
)  # fmt: skip


def page(captions: dict[str, str], tables: dict[str, str]) -> str:
    """The whole page."""
    lines = [
        "# 方法 Methods",
        "",
        "每张图都从费城（真实公开数据）或演示市（合成数据）的发布画出；图下是用的参数和看到的数。“对照”是这个方法被核对过的数。",
        "规则与口径（归格、坐标框、默认坐标、上报）见 [rules.md](rules.md)。引文见 `geo/references.bib`。",
        "",
        *_example(),
        "<!-- 本页由 make docs 生成：文字来自 geo/ 的说明与 docs/drawing/page.py，改那里。 -->",
        "",
    ]
    for chapter, cards in CARDS:
        lines += [f"- {chapter}：" + " · ".join(f"[{card.title}](#{_anchor(card.title)})" for card in cards)]
    lines += ["- [误报表](#误报表) · [速度](#速度)", ""]
    for chapter, cards in CARDS:
        lines += [f"# {chapter}", ""]
        for card in cards:
            lines += _card(card, captions)
    for title, text in tables.items():
        lines += [f"# {title}", "", text.strip(), ""]
    return "\n".join(lines).rstrip() + "\n"


def _example() -> list[str]:
    """The worked example, which a test runs."""
    code = (DOCS.parent / "examples" / "methods.py").read_text("utf-8").rstrip()
    return [
        "从一次发布到这些数，十几行（`python examples/methods.py 工作区/releases/current`，用的就是下面这段）：", "",
        "```python", code, "```", "",
    ]  # fmt: skip


def _card(card: Card, captions: dict[str, str]) -> list[str]:
    lines = [
        f"## {card.title}",
        "",
        f"**问**　{card.question}",
        "",
        f"**读**　{card.reading}",
        "",
        f"**别读成**　{card.caution}",
        "",
    ]
    for figure in card.figure.split():
        lines += [f"![{card.title}](figures/{figure}.png)", "", f"*{captions[figure]}*", ""]
    lines += [f"**对照**　{card.reference}", ""]
    for name in card.functions.split():
        lines += _function(name)
    return lines


def _function(name: str) -> list[str]:
    room, short = name.split(".")
    work = getattr(importlib.import_module(f"geo.{room}"), short)
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(work)))  # annotations without their quotes
    text = inspect.getdoc(work)
    result = vars(inspect.getmodule(work)).get(str(inspect.signature(work).return_annotation).strip("'"))
    if inspect.isclass(result) and issubclass(result, Result):
        text += f"\n\n{result.__name__}\n{'-' * len(result.__name__)}\n{inspect.getdoc(result)}"
    text = re.sub(r":(?:func|class|math):`~?([^`]*)`", r"\1", text)
    return [
        f"<details><summary><code>geo.{name}</code></summary>", "", "```text", f"{short}{signature}", "", text, "```", "",
        "</details>", "",
    ]  # fmt: skip


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def tables() -> dict[str, str]:
    """The false-alarm and the bench table, from their own pages."""
    alarms = (DOCS / "false_alarms.md").read_text("utf-8").split("\n", 1)[1]
    bench = (DOCS / "bench.md").read_text("utf-8")
    methods = bench.split("<!-- methods -->")[1].split("<!-- /methods -->")[0]
    return {"误报表": alarms, "速度": methods}


def main() -> None:
    """Write the page."""
    captions = json.loads((DOCS / "figures" / "captions.json").read_text("utf-8"))
    (DOCS / "methods.md").write_text(page(captions, tables()), encoding="utf-8")


if __name__ == "__main__":
    main()
