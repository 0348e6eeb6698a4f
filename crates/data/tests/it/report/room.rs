//! What a log of several files has room for.

use bartizan_data::limits::REPORT_BYTES;
use bartizan_data::report::{Standing, Suite, sarif};
use bartizan_data::{Outcome, Schema, Tier};
use serde_json::Value;

use super::{checked, subject};

/// A batch with many findings of long names.
fn loud() -> Suite {
    let header: Vec<String> = (0..1_000).map(|at| format!("{}{at}", "x".repeat(180))).collect();
    let batch = format!("{}\n{}\n", header.join(","), vec!["1"; header.len()].join(","));
    let schema = crate::schema::inferred(b"a\n1\n", None);
    let report = checked(&batch, &schema, Tier::Release);
    assert_eq!(report.findings.len(), 1_000);
    Suite::check(&subject("loud.csv"), &report)
}

fn quiet() -> Suite {
    let text = "format = \"bartizan-schema-v1\"\ncsv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n\
                [[column]]\nname = \"a\"\ntype = \"integer\"\n";
    Suite::check(&subject("quiet.csv"), &checked("a\n1\n", &Schema::parse(text).unwrap(), Tier::Release))
}

fn results(run: &Value) -> &[Value] {
    run["results"].as_array().unwrap()
}

#[test]
fn runs_that_need_little_room_leave_it_to_the_others() {
    let mut suites = vec![loud()];
    let alone: Value = serde_json::from_str(&sarif::write(&suites)).unwrap();
    assert_eq!(results(&alone["runs"][0]).len(), 1_000);
    // In an equal share of the room there would be few of its findings.
    suites.extend((0..15).map(|_| quiet()));
    let text = sarif::write(&suites);
    assert!(text.len() <= REPORT_BYTES, "{}", text.len());
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(results(&log["runs"][0]), results(&alone["runs"][0]));
}

#[test]
fn runs_of_many_results_share_the_room_and_say_what_is_left_out() {
    let suites: Vec<Suite> = (0..30).map(|_| loud()).collect();
    let text = sarif::write(&suites);
    assert!(text.len() <= REPORT_BYTES && text.len() > REPORT_BYTES / 10 * 9, "{}", text.len());
    let log: Value = serde_json::from_str(&text).unwrap();
    for run in log["runs"].as_array().unwrap() {
        let left_out: usize = run["properties"]["results-left-out"].as_str().unwrap().parse().unwrap();
        assert_eq!(results(run).len() + left_out, 1_000);
        assert!(results(run).len() > 100, "{left_out}");
    }
}

/// However many findings and files there are, what has no verdict says so.
#[test]
fn that_there_is_no_verdict_is_never_left_out() {
    let suites: Vec<Suite> = (0..60)
        .map(|_| {
            let mut suite = loud();
            let why = "y".repeat(20_000);
            let error = std::io::Error::other(why);
            suite.outcome = Outcome::Error;
            // After all findings, where what is as grave would have taken the room.
            suite.cases.extend(Suite::unread(&subject("loud.csv"), "data check", &error).cases);
            suite
        })
        .collect();
    assert!(suites.iter().all(|suite| matches!(suite.cases.last().unwrap().standing, Standing::NotRun(_))));
    let log: Value = serde_json::from_str(&sarif::write(&suites)).unwrap();
    for run in log["runs"].as_array().unwrap() {
        let says = |result: &Value| result["ruleId"] == "no-verdict" && result["level"] == "error";
        assert_eq!(results(run).iter().filter(|one| says(one)).count(), 1);
    }
}
