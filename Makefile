# okno: every task of the project. `make help` lists them.
CC ?= gcc
BUILD ?= build
# Only okno-media is linked to the libraries that read recordings.
MEDIA_PKGS := libavformat libavcodec libavutil libswscale
PKGS := libcurl sqlite3 libmicrohttpd jansson libconfuse libsodium libseccomp libqrencode libcrypto
PKG_CFLAGS = $(shell pkg-config --cflags $(MEDIA_PKGS) $(PKGS))
PKG_LIBS = $(shell pkg-config --libs $(PKGS)) -lcsv
ALL_LIBS = -Wl,--as-needed $(shell pkg-config --libs $(MEDIA_PKGS)) $(PKG_LIBS)
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wvla -Werror
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
OPT ?= -O2 -g
SANITIZE ?=
CFLAGS += -std=c17 $(WARN) $(OPT) $(if $(SANITIZE),,$(HARDEN)) $(SANITIZE) -ffp-contract=off \
          -D_FILE_OFFSET_BITS=64 -Iinclude -MMD -MP
LDFLAGS += $(SANITIZE) -pie -Wl,-z,relro,-z,now
VERSION := 0.1.0
CPPFLAGS += -DOKNO_VERSION='"$(VERSION)"'

LIB_SRC := $(filter-out src/cli/main.c src/video/media/main.c src/report/paper/%,$(shell find src -name '*.c' | LC_ALL=C sort))
CONF := conf/report.json conf/reasons.json conf/messages.json conf/tags.json conf/VERIFY.txt \
        $(wildcard conf/archives/*.json) src/service/http/schemas.json
SQL := $(shell find src -name '*.sql' | LC_ALL=C sort)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/obj/%.o) $(BUILD)/gen/sql.o $(BUILD)/gen/ui.o $(BUILD)/gen/conf.o
TEST_SRC := $(shell find tests -name 'test_*.c' | LC_ALL=C sort)
TESTS := $(TEST_SRC:%.c=$(BUILD)/%)
# What tests share (servers of their own): linked into each test program.
TEST_SUPPORT := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/support/*.c))
TOOLS := $(patsubst tools/%/,$(BUILD)/tools/%,$(dir $(wildcard tools/*/main.c)))
UI_SRC := $(shell find src/ui -type f -not -path '*/node_modules/*' 2>/dev/null | LC_ALL=C sort)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

all: deps-build $(BUILD)/okno $(BUILD)/okno-media $(BUILD)/okno-paper ## build build/okno (installs missing Debian packages)

# What starts okno or calls its library needs okno-media beside it, of the same build.
$(BUILD)/okno: $(BUILD)/obj/src/cli/main.o $(BUILD)/libokno.a | $(BUILD)/okno-media
	@echo "LD $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm -lpthread

$(BUILD)/okno-media: $(BUILD)/obj/src/video/media/main.o $(BUILD)/libokno.a
	@echo "LD $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) -lm -lpthread

# PDF and XLSX are made by a program of their own: the service is not linked to these libraries.
PAPER_PKGS := pangocairo cairo xlsxwriter
PAPER_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard src/report/paper/*.c))
$(PAPER_OBJ): PKG_CFLAGS += -Isrc/report $(shell pkg-config --cflags $(PAPER_PKGS))
$(BUILD)/okno-paper: $(PAPER_OBJ) $(BUILD)/libokno.a
	@echo "LD $@"
	@$(CC) $(LDFLAGS) -Wl,--as-needed -o $@ $^ $(shell pkg-config --libs $(PAPER_PKGS)) $(PKG_LIBS) -lm -lpthread

$(BUILD)/libokno.a: $(LIB_OBJ)
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "CC $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) -c -o $@ $<

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/embed: tools/embed.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $<

$(BUILD)/gen/sql.c: $(SQL) $(BUILD)/embed
	@mkdir -p $(@D)
	$(BUILD)/embed sql $(SQL) > $@

$(BUILD)/gen/ui.c: $(BUILD)/ui/.built $(BUILD)/embed
	@mkdir -p $(@D)
	cd $(BUILD)/ui/dist && $(CURDIR)/$(BUILD)/embed files okno_ui_files $$(find . -type f | sed 's,^\./,,' | LC_ALL=C sort) > $(CURDIR)/$@

# Texts that ship inside the program: the reasons for verdicts, the shapes of the API.
$(BUILD)/gen/conf.c: $(CONF) $(BUILD)/embed
	@mkdir -p $(@D)
	$(BUILD)/embed files okno_conf_files $(CONF) > $@

# The page: bundled once by esbuild, then embedded in the binary.
$(BUILD)/ui/.built: $(UI_SRC) tools/build-ui
	tools/build-ui $(BUILD)/ui
	touch $@

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TEST_SUPPORT) $(BUILD)/libokno.a | $(BUILD)/okno-media
	@mkdir -p $(@D)
	@echo "LD $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) -lcmocka -lm -lpthread

# Fuzz targets: replayed by test_corpus with their kept inputs; `make fuzz` runs them by libFuzzer.
FUZZ_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out tests/fuzz/entry.c tests/fuzz/test_%,$(wildcard tests/fuzz/*.c)))
FUZZ_NAMES := $(shell grep -o 'X([a-z]*)' tests/fuzz/fuzz.h | tr -d 'X()')

$(BUILD)/tests/fuzz/test_corpus: $(BUILD)/obj/tests/fuzz/test_corpus.o $(FUZZ_OBJ) $(TEST_SUPPORT) $(BUILD)/libokno.a
	@mkdir -p $(@D)
	@echo "LD $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) -lcmocka -lm -lpthread

$(BUILD)/fuzz/%: tests/fuzz/entry.c $(FUZZ_OBJ) $(BUILD)/libokno.a
	@mkdir -p $(@D)
	@echo "LD $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -DFUZZ_TARGET=fuzz_$* $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(ALL_LIBS) -lm -lpthread

# Developer tools: tools/NAME/*.c becomes build/tools/NAME. They may use what the product must not.
TOOL_PKGS := cairo
define TOOL_RULE
$(BUILD)/tools/$(1): $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tools/$(1)/*.c)) $(BUILD)/libokno.a | $(BUILD)/okno-media
	@mkdir -p $$(@D)
	@echo "LD $$@"
	@$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(ALL_LIBS) $$(shell pkg-config --libs $(TOOL_PKGS)) -lm -lpthread
$(BUILD)/obj/tools/$(1)/%.o: PKG_CFLAGS += $$(shell pkg-config --cflags $(TOOL_PKGS))
endef
$(foreach tool,$(notdir $(TOOLS)),$(eval $(call TOOL_RULE,$(tool))))

tools: $(TOOLS) ## build the developer tools

PREFIX ?= /usr/local
SHARE = $(DESTDIR)$(PREFIX)/share
MAN = $(SHARE)/man/man1
UNIT = $(DESTDIR)$(PREFIX)/lib/systemd/system/okno.service
COMPLETION = $(SHARE)/bash-completion/completions/okno

$(BUILD)/man/okno.1: $(BUILD)/okno tools/man
	tools/man $(BUILD)

install: $(BUILD)/okno $(BUILD)/okno-media $(BUILD)/okno-paper $(BUILD)/man/okno.1 ## program, man pages, examples; DESTDIR= PREFIX=/usr/local
	install -D -m 0755 $(BUILD)/okno $(DESTDIR)$(PREFIX)/bin/okno
	install -D -m 0755 -t $(DESTDIR)$(PREFIX)/libexec/okno $(BUILD)/okno-media $(BUILD)/okno-paper
	install -D -m 0644 -t $(MAN) $(BUILD)/man/*.1
	install -D -m 0644 conf/okno.bash $(COMPLETION)
	install -D -m 0644 -t $(SHARE)/doc/okno conf/okno.conf.example conf/nginx.conf.example \
	    conf/report.schema.json docs/*.md LICENSE
	install -D -m 0644 -t $(SHARE)/doc/okno/maps conf/maps/*.conf
	install -D -m 0644 conf/okno.service $(UNIT)
	sed -i 's,/usr/local/bin/okno,$(PREFIX)/bin/okno,' $(UNIT)

uninstall: ## take away what install put there; data and settings stay
	rm -f $(DESTDIR)$(PREFIX)/bin/okno $(MAN)/okno.1 $(MAN)/okno-*.1 $(COMPLETION) $(UNIT)
	rm -rf $(SHARE)/doc/okno $(DESTDIR)$(PREFIX)/libexec/okno

deps-build: ; @tools/deps build
deps-demo: ; @tools/deps build demo
deps-test: ; @tools/deps build demo test

demo: deps-demo $(BUILD)/okno $(BUILD)/okno-paper $(TOOLS) ## record a small archive, serve it, run the whole job on it
	tools/demo $(BUILD)

# One after the other also under -j: both add to the same results. A failure is counted at the end.
test: deps-test ## every test that CI runs, from a bare machine
	@rm -f $(BUILD)/results
	@$(MAKE) --no-print-directory unit || [ -s $(BUILD)/results ] || echo "0 1 unit" > $(BUILD)/results
	@$(MAKE) --no-print-directory e2e || tail -n 1 $(BUILD)/results | grep -q e2e || \
	    echo "0 1 e2e" >> $(BUILD)/results
	@tools/count-tests $(BUILD)/results

unit: $(TESTS) $(BUILD)/okno $(BUILD)/okno-paper $(TOOLS) ## unit and room tests (cmocka)
	tools/run-tests $(BUILD) $(TESTS)

e2e: $(BUILD)/okno $(BUILD)/okno-paper $(TOOLS) ## the whole way: demo pipeline, API, browser
	tests/e2e/run $(BUILD)

# Real recorders that take their time: no part of `make test`. ONLY=motion for one.
test-archives: deps-test $(BUILD)/okno $(TOOLS) ## okno against real recorders; ONLY=NAME for one
	@tools/deps archives
	tests/archives/run $(BUILD) $(ONLY)

# A few of these are in `make unit`. The seed makes a run that failed happen again.
WINDOWS ?= 125
SEED ?= 1
test-windows: deps-test $(BUILD)/okno $(BUILD)/tests/video/test_windows ## WINDOWS=125 clips of each of 16 recordings by SEED=1
	TEST_SECONDS=7200 OKNO_WINDOWS=$(WINDOWS) OKNO_SEED=$(SEED) tools/run-tests $(BUILD) $(BUILD)/tests/video/test_windows

MUTATIONS ?= 2000
test-mutations: deps-test $(BUILD)/okno $(TOOLS) $(BUILD)/tests/video/test_sandbox ## MUTATIONS=2000 damaged copies of each container by SEED=1
	TEST_SECONDS=7200 OKNO_TEST_MUTATIONS=$(MUTATIONS) OKNO_SEED=$(SEED) tools/run-tests $(BUILD) $(BUILD)/tests/video/test_sandbox

# Figures depend on the machine: no part of `make test`. ONLY='import intake' runs some of them.
bench: deps-test $(BUILD)/okno $(BUILD)/okno-paper $(TOOLS) ## speed and memory beside references; ONLY=NAME for one
	tools/bench/run $(BUILD) $(ONLY)

bench-quick: deps-test $(BUILD)/okno $(BUILD)/okno-paper $(TOOLS) ## the same with small inputs: does it all work?
	BENCH_QUICK=1 tools/bench/run $(BUILD) $(ONLY)

bench-coverage: $(BUILD)/tools/coverage ## how often the estimates' intervals hold the truth; REPETITIONS=10000
	$(BUILD)/tools/coverage $(REPETITIONS)

lint: deps-test ## format, static analysis, layers, banned functions, headers
	tools/lint

asan: ## unit tests under AddressSanitizer and UBSan
	$(MAKE) BUILD=build/asan OPT='-O1 -g -fno-omit-frame-pointer' \
	    SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined' TEST_SECONDS=1800 unit

SECONDS ?= 60
FUZZ_CC ?= clang
fuzz: deps-test ## any bytes for each decoder; SECONDS=60 for each, ONLY=csv for one
	$(MAKE) BUILD=build/fuzz CC="$(FUZZ_CC)" WARN=-Wall OPT='-O1 -g -fno-omit-frame-pointer' \
	    SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' \
	    $(FUZZ_NAMES:%=build/fuzz/fuzz/%)
	tools/fuzz build/fuzz $(SECONDS) $(ONLY)

format: ## rewrite the C sources in the project's layout
	clang-format -i $$(git ls-files '*.c' '*.h')

clean: ## remove everything made
	rm -rf build

help: ## this list
	@grep -E '^[a-z0-9-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 12

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.PHONY: all test-archives test-windows test-mutations install uninstall deps-build deps-demo deps-test demo test unit e2e bench bench-quick bench-coverage lint asan fuzz format clean help tools
