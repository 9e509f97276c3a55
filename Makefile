# Two commands: make run (demo city on http://127.0.0.1:8050) and make test. make bench, soak and docs are run by hand.
PY := .venv/bin/python
WORKSPACE ?= workspace
PORT ?= 8050
# Absolute, since sources.toml counts relative paths from its own folder.
export YANPAN_REAL_DATA := $(abspath $(or $(YANPAN_REAL_DATA),../shared/data))
PIP := .venv/bin/pip install --quiet --disable-pip-version-check

.PHONY: run test lint bench soak docs lock clean

run: .venv/.ready
	@test -f $(WORKSPACE)/sources.toml || .venv/bin/yanpan demo --scale small --workspace $(WORKSPACE)
	@.venv/bin/yanpan etl --workspace $(WORKSPACE)
	@.venv/bin/yanpan serve --open --port $(PORT) --workspace $(WORKSPACE)

test: .venv/.ready-test lint
	@sh tests/browser/needs.sh
	@$(PY) -m pytest -n 2 --dist loadfile -m "not soak"

lint: .venv/.ready-test
	@.venv/bin/ruff check .

bench: .venv/.ready-test
	@for script in tests/benchmarks/bench_*.py; do echo "== $$script"; PYTHONPATH=.:tests/benchmarks $(PY) $$script || exit 1; done

soak: .venv/.ready-test
	@$(PY) -m pytest -m soak -s

# The methods page: figures from Philadelphia (real data) and the demo city, text from the docstrings.
docs: .venv/.ready-test
	@sh tests/browser/needs.sh
	@dir=$$(mktemp -d); yanpan=.venv/bin/yanpan; \
	  $$yanpan etl --sources examples/philadelphia.toml --workspace $$dir/philadelphia && \
	  $$yanpan demo --scale small --workspace $$dir/demo && $$yanpan etl --workspace $$dir/demo && \
	  PYTHONPATH=. $(PY) docs/drawing/draw.py $$dir/philadelphia/releases/current $$dir/demo/releases/current && \
	  PYTHONPATH=. $(PY) docs/drawing/page.py; status=$$?; rm -rf $$dir; exit $$status

.venv/bin/python:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更新"; exit 1; }
	@python3 -m venv .venv 2>/dev/null || { rm -rf .venv; \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null && python3 -m venv .venv; \
	  else echo "缺少 python3-venv，请先运行: sudo apt-get install -y python3-venv"; exit 1; fi; }

.venv/.ready: .venv/bin/python requirements.lock pyproject.toml
	@echo "安装依赖 …"
	@$(PIP) -r requirements.lock
	@$(PIP) --no-deps -e .
	@touch $@

.venv/.ready-test: .venv/.ready requirements-test.lock
	@$(PIP) -r requirements-test.lock
	@touch $@

# Pins what a fresh environment resolves to; names and versions only, no index address.
lock:
	@rm -rf .venv-lock && python3 -m venv .venv-lock
	@.venv-lock/bin/pip install --quiet . && .venv-lock/bin/pip freeze --exclude yanpan > requirements.lock
	@.venv-lock/bin/pip install --quiet '.[test]' && .venv-lock/bin/pip freeze --exclude yanpan | grep -vxFf requirements.lock > requirements-test.lock
	@rm -rf .venv-lock build *.egg-info

clean:
	@rm -rf .venv build *.egg-info .pytest_cache .ruff_cache
