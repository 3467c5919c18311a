# What is done often. `just` lists it; every recipe is a plain command that can be typed without `just`, too.

_list:
    @just --list --unsorted

# Does it compile?
check *ARGS:
    cargo check --workspace --all-targets {{ARGS}}

# All tests, or those that match: `just test jump_box`
test *ARGS:
    tests/run {{ARGS}}

# Formatting and lints, as continuous integration wants them
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Formats everything
fmt:
    cargo fmt --all

# Installs the `deployer` binary of this tree
install:
    cargo install --path deployer-cli --locked
