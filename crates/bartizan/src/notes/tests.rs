//! Notes of a job: whatever is in them, the model is kept and the record says what was wrong.

use std::path::PathBuf;

use expect_test::{Expect, expect};
use serde_json::json;
use tempfile::TempDir;

use super::Notes;

fn check(name: &str, content: &[u8], expected: &Expect) {
    let place = TempDir::new().unwrap();
    let path = place.path().join("file");
    std::fs::write(&path, content).unwrap();
    let mut files = vec![("model.onnx".to_owned(), PathBuf::from("m")), (name.to_owned(), path)];
    let notes = Notes::take(&mut files);
    assert_eq!(files.len(), 1, "the model alone is left");
    let value = if name == "params.json" { &notes.parameters } else { &notes.metrics };
    expected.assert_eq(&format!("{value}\n{}", notes.remarks.join("\n")));
}

#[test]
fn what_can_be_read_is_kept() {
    check(
        "params.json",
        br#"{"depth": 3, "names": ["a\"NaN", null, true], "rate": 0.9167208848405985}"#,
        &expect![[r#"
            {"depth":3,"names":["a\"NaN",null,true],"rate":0.9167208848405985}
        "#]],
    );
    check(
        "metrics.jsonl",
        b"{\"loss\":0.5,\"step\":1}\n\n{\"loss\":NaN,\"step\":2}\nnot json\n{\"a\":-Infinity,\"b\":\"Infinity\"}\n{\"a\":1,\"a\":2}\n{\"step\":3",
        &expect![[r#"
            [{"loss":0.5,"step":1},{"loss":null,"step":2},{"a":null,"b":"Infinity"}]
            metrics.jsonl, line 3: NaN and infinities are no JSON, and are kept as null
            metrics.jsonl, line 4 is not kept: expected ident at line 1 column 2
            metrics.jsonl, line 5: NaN and infinities are no JSON, and are kept as null
            metrics.jsonl, line 6 is not kept: `a` is there twice at line 1 column 13
            metrics.jsonl, line 7 is not kept: EOF while parsing an object at line 1 column 9"#]],
    );
}

#[test]
fn what_cannot_be_read_costs_nothing_else() {
    let deep = "[".repeat(100_000);
    for (content, remark) in [
        (deep.as_bytes(), "recursion limit"),
        (b"\xff\xfe".as_slice(), "UTF-8"),
        (b"".as_slice(), "EOF"),
        (b"{\"a\":{\"b\":1,\"b\":1}}".as_slice(), "twice"),
        (b"1e999".as_slice(), "out of range"),
        (" ".repeat(5 << 20).as_bytes(), "more than"),
        (b"{} {}".as_slice(), "trailing"),
    ] {
        let place = TempDir::new().unwrap();
        let path = place.path().join("file");
        std::fs::write(&path, content).unwrap();
        let notes = Notes::take(&mut vec![("params.json".to_owned(), path)]);
        assert_eq!(notes.parameters, json!(null));
        assert!(notes.remarks.len() == 1 && notes.remarks[0].contains(remark), "{:?}", notes.remarks);
    }
}

#[test]
fn remarks_are_bounded() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("file");
    std::fs::write(&path, "?\n".repeat(1_000)).unwrap();
    let notes = Notes::take(&mut vec![("metrics.jsonl".to_owned(), path)]);
    assert_eq!(notes.metrics, json!([]));
    assert_eq!((notes.remarks.len(), notes.remarks[20].as_str()), (21, "980 more like these"));
}
