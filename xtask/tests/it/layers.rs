//! Layers, code map and owned packages, on small worlds of three crates.

use expect_test::{Expect, expect};
use xtask::{Package, Plan, Text, Use, layers};

use crate::{shown, text};

const ARCHITECTURE: &str = "\
# Architecture

## Layers
Words before the picture.

```text
top
left   right
base
```

## Code map

| crate | one line |
|---|---|
| `top` | the binary |
| `left` | one half |
| `right` | the other half |
| `base` | words |
| `xtask` | chores |

## Invariants
### Upward in tests
| crate | its tests may use | why |
|---|---|---|
| `base` | `left` | a double |

### Packages with an owner
| package | named only by |
|---|---|
| `web-server` | `top` |
| `hash` | `base`, `left` |
";

/// `top: left, web-server; base: ~left` means that `base` uses `left` in its tests.
fn packages(world: &str) -> Vec<Package> {
    let package = |line: &str| {
        let (name, uses) = line.split_once(':').unwrap();
        let uses = uses.split(',').map(str::trim).filter(|name| !name.is_empty());
        let uses = uses.map(|name| Use {
            name: name.trim_start_matches('~').to_owned(),
            only_in_tests: name.starts_with('~'),
        });
        Package { name: name.trim().to_owned(), uses: uses.collect() }
    };
    world.split(';').map(package).collect()
}

fn check(world: &str, sources: &[Text], expected: Expect) {
    expected.assert_eq(&shown(&layers(&Plan::parse(ARCHITECTURE), &packages(world), sources)));
}

#[test]
fn a_world_as_planned_has_no_findings() {
    check(
        "top: left, right, base, web-server; left: base, hash; right: base; base: ~left, hash; xtask: toml",
        &[],
        expect![""],
    );
}

#[test]
fn crates_and_plan_must_match() {
    check(
        "top: web-server; left: hash; base: hash, ~left; extra: ; xtask:",
        &[],
        expect![[r#"
        ARCHITECTURE.md: the layer picture names `right`, which is no such crate
        ARCHITECTURE.md: the layer picture lacks the crate `extra`
        ARCHITECTURE.md: the code map names `right`, which is no such crate
        ARCHITECTURE.md: the code map lacks the crate `extra`
    "#]],
    );
}

#[test]
fn a_crate_named_twice_is_found() {
    let twice = ARCHITECTURE.replace("left   right", "left   right   base");
    let world = "top: web-server; left: hash; right: ; base: hash, ~left; xtask:";
    expect![[r#"
        ARCHITECTURE.md: the layer picture names `base` twice
    "#]]
    .assert_eq(&shown(&layers(&Plan::parse(&twice), &packages(world), &[])));
}

#[test]
fn dependencies_point_down() {
    check(
        "top: web-server, ~xtask; left: right, hash; right: ~left; base: top, hash, ~left; xtask: base",
        &[],
        expect![[r#"
            top: depends on `xtask`, but `xtask` stands apart
            left: depends on `right`, which is not below it in the layers
            right: its tests use `left`, which is not below it in the layers
            base: depends on `top`, which is not below it in the layers
            xtask: depends on `base`, but `xtask` stands apart
        "#]],
    );
}

#[test]
fn permissions_that_nobody_needs_are_found() {
    check(
        "top: ; left: hash; right: base; base: hash; xtask:",
        &[],
        expect![[r#"
        ARCHITECTURE.md: allows the tests of `base` to use `left`, which they don't
        ARCHITECTURE.md: gives `web-server` to `top`, which does not use it
    "#]],
    );
}

#[test]
fn owned_packages_are_declared_and_named_by_their_owners_only() {
    let source = "// use web_server::Router is only a comment\n\
                  use web_server::Router;\n\
                  use ::web_server;\n\
                  let a = web_server::run();\n\
                  let b = my_web_server::run();\n\
                  let c = crate::web_server::run();\n\
                  let web_server = 1;\n";
    check(
        "top: web-server; left: hash; right: web-server; base: hash, ~left; xtask:",
        &[text("crates/right/src/lib.rs", source), text("crates/top/src/main.rs", source)],
        expect![[r#"
            right: depends on `web-server`, which belongs to top
            crates/right/src/lib.rs:2: names `web-server`, which belongs to top
            crates/right/src/lib.rs:3: names `web-server`, which belongs to top
            crates/right/src/lib.rs:4: names `web-server`, which belongs to top
        "#]],
    );
}

#[test]
fn an_empty_document_allows_nothing() {
    let findings = layers(&Plan::parse(""), &packages("base: ; xtask:"), &[]);
    expect![[r#"
        ARCHITECTURE.md: the layer picture lacks the crate `base`
        ARCHITECTURE.md: the code map lacks the crate `base`
        ARCHITECTURE.md: the code map lacks the crate `xtask`
    "#]]
    .assert_eq(&shown(&findings));
}
