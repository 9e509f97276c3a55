#!/bin/sh
# Headless Chromium and a font with Chinese glyphs: installed where we may, else the command is named.
missing=""
command -v chromium >/dev/null 2>&1 || [ -x /usr/bin/chromium ] || missing="chromium"
fc-list 2>/dev/null | grep -qi 'noto.*cjk\|source han\|wqy' || missing="$missing fonts-noto-cjk fontconfig"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "安装 $missing …"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null && exit 0
fi
echo "浏览器测试缺少:$missing。请先运行: sudo apt-get install -y $missing"
exit 1
