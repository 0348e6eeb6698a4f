//! Endpoints from the command line.

use crate::bench::Bench;

#[test]
fn an_endpoint_names_what_answers_and_what_answers_instead() {
    let bench = Bench::with_project();
    for (model, bytes) in [("one", b"1".as_slice()), ("two", b"2")] {
        bench.write(&format!("{model}/model.onnx"), bytes);
        let import = ["model", "import", model, "--name", "fraud", "--origin", "a test"];
        assert_eq!(bench.run(&import).code, 0);
    }
    let route = ["endpoint", "route", "scores", "--model", "fraud:2"];
    bench.refused(&[&route[..], &["--no-fallback"]].concat(), 1, "BZ-0204");
    for version in ["fraud:1", "fraud:2"] {
        assert_eq!(bench.run(&["model", "approve", version]).code, 0);
    }
    assert_eq!(bench.run(&route).code, 2, "a route names its fallback");
    let shown = bench.json(&[&route[..], &["--fallback", "fraud:1", "--beyond", "reject"]].concat());
    assert_eq!((&shown["primary"], &shown["fallback"]), (&"fraud:2".into(), &"fraud:1".into()), "{shown}");
    assert_eq!(bench.run(&["model", "quarantine", "fraud:2", "--reason", "a test"]).code, 0);
    assert_eq!(bench.json(&["endpoint", "show", "scores"])["state"], "quarantined");
    bench.refused(&[&route[..], &["--no-fallback"]].concat(), 3, "BZ-0202");
    bench.write("constant.json", br#"[{"name": "p", "shape": [1], "datatype": "FP32", "data": [0.5]}]"#);
    let constant = ["--fallback-constant", "constant.json"];
    let shown = bench.json(&[&["endpoint", "route", "scores", "--model", "fraud:1"], &constant[..]].concat());
    assert_eq!(shown["fallback"], "a constant answer");
    assert_eq!(bench.json(&["endpoint", "disable", "scores"])["standing"], "disabled");
    bench.refused(&["endpoint", "disable", "scores"], 1, "BZ-0204");
    bench.refused(&["endpoint", "show", "nowhere"], 4, "BZ-0203");
}
