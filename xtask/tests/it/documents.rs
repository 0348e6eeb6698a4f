//! The index of formats, and the small reader of Markdown.

use expect_test::expect;
use xtask::{block_under, formats, links, table_under};

use crate::{shown, text};

#[test]
fn formats_and_index_match_both_ways() {
    let index = "# Formats\n- [proof](proof.md#bytes)\n- [lost](lost.md)\n- [code](../../crates/base/src/lib.rs)\n- [spec](https://c2sp.org)\n";
    let findings = formats(
        index,
        &[
            text("docs/formats/proof.md", "Bytes."),
            text("docs/formats/new.md", "Bytes."),
            text("docs/formats/schemas/x.json", " \n"),
        ],
    );
    expect![[r#"
        docs/formats/README.md: links to `lost.md`, which does not exist
        docs/formats/new.md: is not listed in docs/formats/README.md
        docs/formats/schemas/x.json: is not listed in docs/formats/README.md
        docs/formats/schemas/x.json: is empty
    "#]]
    .assert_eq(&shown(&findings));
}

#[test]
fn tables_and_blocks_end_where_their_section_ends() {
    let document = "## One\ntext\n\n```text\n# not a heading\na b\n```\n## Two\n| h | i |\n|---|---|\n| `x` | y z |\n\n| later | table |\n";
    assert_eq!(block_under(document, "## One"), ["# not a heading", "a b"]);
    assert_eq!(block_under(document, "## Two"), [""; 0]);
    assert_eq!(table_under(document, "## Two"), [["x", "y z"]]);
    assert_eq!(table_under(document, "## One"), [[""; 0]; 0]);
    assert_eq!(table_under(document, "## Three"), [[""; 0]; 0]);
}

#[test]
fn links_are_taken_without_fragments() {
    assert_eq!(links("see [a](x.md), [b](y.md#z) and (c)"), ["x.md", "y.md"]);
    assert_eq!(links("no link]( here"), [""; 0]);
}
