"""Invented names: no list of real places, the same for the same seed."""

from __future__ import annotations

import numpy as np

DISTRICTS = ("晨光区", "望河区", "听松区", "青禾区", "云屏区", "镜湖区", "远山县", "南麓县", "柳浦县")
_FIRST = "安清明和兴永福文德新华东南西北金玉青白云龙凤松柏竹梅兰桂春秋晨朝星月平长宁泰康乐"
_SECOND = "溪河湖泉山岭岗坪川桥庄园苑台阁门里塘湾林田坡堰渡堤营寨店"
_DIGITS = "零一二三四五六七八九"


def invented(count: int, rng: np.random.Generator) -> list[str]:
    """``count`` different two- or three-character names."""
    pairs = [a + b for a in _FIRST for b in _SECOND]
    if count > len(pairs):
        pairs += [a + c + b for a in _FIRST for c in "上中下" for b in _SECOND]
    return [pairs[i] for i in rng.permutation(len(pairs))[:count]]


def numeral(number: int) -> str:
    """Chinese numeral of 1 to 999, as grids are named: 8 -> 八, 21 -> 二十一, 105 -> 一百零五."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else _DIGITS[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (_DIGITS[ones] if ones else "")
