//! What files make a model, and that only one sequence of bytes says so.

use bartizan_base::sha256;
use bartizan_registry::manifest::{Manifest, ManifestFile, manifest_digest};
use expect_test::{Expect, expect};

fn file(path: &str) -> ManifestFile {
    ManifestFile { path: path.to_owned(), sha256: sha256(b"content"), size: 7 }
}

fn check(paths: &[&str], expected: Expect) {
    let said = match Manifest::new(paths.iter().map(|path| file(path)).collect()) {
        Ok(manifest) => {
            let bytes = manifest.to_bytes().unwrap();
            assert_eq!(Manifest::parse(&bytes).unwrap(), manifest);
            manifest.files().iter().map(|file| file.path.as_str()).collect::<Vec<_>>().join(" ")
        }
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&said);
}

#[test]
fn paths_are_plain_and_relative_and_there_once() {
    check(&["b", "a/b", "a.b"], expect!["a.b a/b b"]);
    check(&[], expect!["no files"]);
    check(
        &["/etc/passwd"],
        expect![[
            r"`/etc/passwd` is not a relative path of plain segments: it is absolute or holds `\` or `:`"
        ]],
    );
    check(
        &["C:model"],
        expect![[r"`C:model` is not a relative path of plain segments: it is absolute or holds `\` or `:`"]],
    );
    check(&["a/../b"], expect!["`a/../b` is not a relative path of plain segments: it holds `.` or `..`"]);
    check(&["./a"], expect!["`./a` is not a relative path of plain segments: it holds `.` or `..`"]);
    check(&["a//b"], expect!["`a//b` is not a relative path of plain segments: it holds an empty segment"]);
    check(
        &["a\nb"],
        expect!["`a\nb` is not a relative path of plain segments: it holds a control character"],
    );
    check(&["a", "a"], expect!["`a` is there twice, upper and lower case aside"]);
    check(&["Model.onnx", "model.ONNX"], expect!["`model.ONNX` is there twice, upper and lower case aside"]);
    check(&["É", "é"], expect!["`é` is there twice, upper and lower case aside"]);
    check(&["a", "a/b"], expect!["`a` is there twice, upper and lower case aside"]);
    check(&["A", "a/b"], expect!["`a` is there twice, upper and lower case aside"]);
}

#[test]
fn names_are_part_of_the_identity() {
    let digest = |path: &str| manifest_digest(&Manifest::new(vec![file(path)]).unwrap().to_bytes().unwrap());
    assert_ne!(digest("a"), digest("b"));
}

#[test]
fn one_model_has_one_encoding() {
    let bytes = Manifest::new(vec![file("a"), file("b")]).unwrap().to_bytes().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    for (from, to) in [
        (r#""path":"a""#, r#""path":"c""#),
        ("manifest-v1", "manifest-v2"),
        (r#"{"files""#, r#"{ "files""#),
        (r#""size":7"#, r#""size":7,"size":7"#),
        (r#""size":7"#, r#""size":7.0"#),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert!(Manifest::parse(changed.as_bytes()).is_err(), "{changed}");
    }
}
