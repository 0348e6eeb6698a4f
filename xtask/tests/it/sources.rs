//! The shape of files, SQL outside its home, and error ids.

use expect_test::expect;
use xtask::{FLAT_TABLES, MOST_LINES, error_ids, manifests, sources};

use crate::{shown, text};

#[test]
fn the_first_line_is_a_sentence() {
    let findings = sources(&[
        text("a.rs", "//! Says what it is.\nfn a() {}\n"),
        text("b.rs", "//! Says what it is\n//! on two lines.\n"),
        text("c.rs", "use std::fs;\n"),
        text("d.rs", ""),
    ]);
    expect![[r#"
        b.rs: the first line is not one whole `//!` sentence
        c.rs: the first line is not one whole `//!` sentence
        d.rs: the first line is not one whole `//!` sentence
    "#]]
    .assert_eq(&shown(&findings));
}

#[test]
fn long_files_are_found_unless_they_are_tables() {
    let at_most = format!("//! Long.\n{}", "x\n".repeat(MOST_LINES - 1));
    let too_long = format!("{at_most}x\n");
    let findings =
        sources(&[text("a.rs", &at_most), text("b.rs", &too_long), text(FLAT_TABLES[0], &too_long)]);
    expect![[r#"
        b.rs: 601 lines, and 600 are the most
    "#]]
    .assert_eq(&shown(&findings));
}

#[test]
fn sql_lives_in_store() {
    let query = "//! Asks.\nlet q = \"SELECT name FROM models\";\nlet s = \"Select one\";\n";
    let findings = sources(&[text("crates/store/src/a.rs", query), text("crates/registry/src/a.rs", query)]);
    expect![[r#"
        crates/registry/src/a.rs:2: holds SQL, which belongs to store
    "#]]
    .assert_eq(&shown(&findings));
}

#[test]
fn manifests_take_the_lints() {
    let findings = manifests(&[
        text("a/Cargo.toml", "[lints]\nworkspace = true\n"),
        text("b/Cargo.toml", "[package]\n"),
    ]);
    expect![[r#"
        b/Cargo.toml: does not take the lints of the workspace
    "#]]
    .assert_eq(&shown(&findings));
}

#[test]
fn error_ids_are_declared_once_and_before_use() {
    let catalogue = "(\"BZ-0001\", \"full disk\"),\n(\"BZ-0002\", \"see BZ-0001 and BZ-0009\"),\n(\"BZ-0002\", \"again\"),\n";
    let code = "fail(\"BZ-0001\");\n// as BZ-0003 says\nfail(\"BZ-0002: no\");\nlet no_id = (\"BZ-12\", \"BZ-00011\", \"BZ-00é\");\n";
    let findings = error_ids(&[
        text("crates/bartizan/src/catalog.rs", catalogue),
        text("crates/bartizan/src/main.rs", code),
    ]);
    expect![[r#"
        crates/bartizan/src/catalog.rs: declares BZ-0002 2 times
        crates/bartizan/src/catalog.rs:2: uses BZ-0009, which is not in crates/bartizan/src/catalog.rs
        crates/bartizan/src/main.rs:2: uses BZ-0003, which is not in crates/bartizan/src/catalog.rs
    "#]]
    .assert_eq(&shown(&findings));
}

#[test]
fn ids_without_a_catalogue_are_found() {
    expect![[r#"
        crates/bartizan/src/main.rs:1: uses BZ-0001, which is not in crates/bartizan/src/catalog.rs
    "#]]
    .assert_eq(&shown(&error_ids(&[text("crates/bartizan/src/main.rs", "\"BZ-0001\"")])));
}
