//! What `data drift` tells beside its verdicts: what comes next, what kind of change it is, and what it compared.

use std::fmt::Write as _;

use crate::bench::Bench;
use crate::drift::{Numbers, drifted, one, read};

/// Rows with a value that moves in the second year, and a text.
fn years(moves: bool) -> String {
    let mut numbers = Numbers(5);
    let mut csv = "id,year,it's,kind\n".to_owned();
    for row in 0..600 {
        let year = 2023 + row / 300;
        let value = numbers.below(100) + if moves && year == 2024 { 60 } else { 0 };
        writeln!(csv, "{row},{year},{value},k{}", row % 3).unwrap();
    }
    csv
}

#[test]
fn the_next_command_repeats_the_one_that_was_given() {
    let bench = Bench::new();
    bench.write("emp all.csv", years(true).as_bytes());
    let given = ["data", "drift", "emp all.csv", "--by", "year", "--leave-out", "id", "--method", "it's=psi"];
    let ran = bench.shown(&given);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let expected = "data drift 'emp all.csv' --by year --leave-out id --method 'it'\\''s=psi' --time COLUMN --source COLUMN --label COLUMN\n";
    let next = ran.stdout.lines().last().unwrap();
    assert!(next.starts_with("next: name the columns that tell"), "{next}");
    assert!(ran.stdout.ends_with(expected), "{}", ran.stdout);
    // What is said of all columns and cannot be measured on texts is said.
    let method = bench.shown(&[
        "data",
        "drift",
        "emp all.csv",
        "--by",
        "year",
        "--leave-out",
        "id",
        "--method",
        "wasserstein",
    ]);
    let said = "compared otherwise, as wasserstein takes numbers: kind by jensen-shannon";
    assert!(method.stdout.contains(said), "{}", method.stdout);
}

#[test]
fn too_few_rows_that_are_alike_are_no_all_clear() {
    let bench = Bench::new();
    bench.write("three.csv", b"a\n1\n1\n1\n");
    bench.write("one.csv", b"a\n1\n");
    bench.write("single.csv", b"a\n1\n");
    let many = "a\n".to_owned() + &"1\n".repeat(40);
    bench.write("many.csv", many.as_bytes());
    bench.write("more.csv", many.as_bytes());
    for (reference, current, least) in [("three.csv", "one.csv", 0.25), ("single.csv", "one.csv", 0.5)] {
        let ran = bench.run(&["data", "drift", reference, current, "-o", "json"]);
        let report = read(&ran);
        assert_eq!((ran.code, report["outcome"].as_str()), (1, Some("error")), "{report}");
        let line = &report["comparisons"][0]["report"]["columns"][0];
        assert_eq!(
            (line["verdict"].as_str(), line["reason"].as_str()),
            (Some("not-judged"), Some("too-few"))
        );
        let found: f64 = line["least_p"].as_str().unwrap().parse().unwrap();
        assert!((found - least).abs() < 1e-9, "{found}");
    }
    assert_eq!(bench.run(&["data", "drift", "many.csv", "more.csv"]).code, 0);
}

#[test]
fn a_kind_does_not_contradict_the_verdict() {
    let bench = Bench::new();
    // Each day has a level of its own, so that any ten days differ from any others.
    let days = |first: u64, days: u64| {
        let mut csv = "at,load\n".to_owned();
        let mut numbers = Numbers(first + 7);
        for day in first..first + days {
            let level = numbers.below(400);
            for minute in 0..120 {
                writeln!(
                    csv,
                    "{},{}",
                    1_704_067_200 + day * 86_400 + minute * 600,
                    level + numbers.below(60)
                )
                .unwrap();
            }
        }
        csv
    };
    bench.write("old.csv", days(0, 30).as_bytes());
    bench.write("new.csv", days(30, 6).as_bytes());
    let given = ["data", "drift", "old.csv", "new.csv", "--time", "at"];
    let report = read(&bench.run(&given));
    assert_eq!(one(drifted(&report)), ["load unclear-course"]);
    let told = bench.shown(&given).stdout;
    assert!(
        told.contains("kind      unclear course: rows differ, but compared by stretches of time"),
        "{told}"
    );
    assert!(!told.contains("not significant"), "{told}");
}

/// Hourly values of so many weeks, 4 higher on Saturday and Sunday.
fn weekends(first: u64, hours: u64) -> String {
    let mut numbers = Numbers(first + 1);
    let mut csv = "at,load\n".to_owned();
    for hour in first..first + hours {
        // 1 January 2024 was a Monday.
        let day = 1_704_067_200 + hour * 3_600;
        let high = if hour / 24 % 7 >= 5 { 400 } else { 0 };
        writeln!(csv, "{day},{}", numbers.below(100) + high).unwrap();
    }
    csv
}

#[test]
fn hours_that_are_compared_with_other_days_are_told() {
    let bench = Bench::new();
    bench.write("weekend.csv", weekends(60 * 168 + 120, 48).as_bytes());
    for (weeks, with) in [(20, Some("all-days")), (26, Some("weekend")), (50, None)] {
        bench.write("old.csv", weekends(0, weeks * 168).as_bytes());
        let given = ["data", "drift", "old.csv", "weekend.csv", "--time", "at", "--season"];
        let report = read(&bench.run(&[&given[..], &["-o", "json"]].concat()));
        let seasons = &report["comparisons"][0]["seasons"];
        let told = bench.shown(&given).stdout;
        assert_eq!(seasons[0]["joined"][0]["with"].as_str(), with, "{weeks}: {seasons}");
        assert_eq!(told.contains("are compared with others too"), with.is_some(), "{told}");
        if weeks == 20 {
            assert_eq!(seasons[0]["columns"][0], "load");
            assert_eq!(seasons[0]["joined"][0]["hours"].as_array().unwrap().len(), 48);
            let said = "Saturday 0-23, Sunday 0-23 with the same hour of all days, so that the day of the week plays no part (load)";
            assert!(told.contains(said), "{told}");
        }
    }
}
