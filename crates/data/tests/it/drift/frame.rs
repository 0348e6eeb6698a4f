//! Tables read into memory and put side by side, and what is left of them in profiles.
#![expect(clippy::cast_possible_truncation, reason = "the values of a test are small")]

use std::io::Cursor;

use bartizan_data::drift::{
    Bucket, ChangeKind, ChangeOptions, Column, Comparison, Course, Frame, FrameKind, Frequent, Held, Mode,
    NotJudged, Options, Period, Random, RowFacts, Side, Statistic, Tags, Verdict, Want, carriers, compare,
    course, explain, month, pairs, profile_pairs,
};
use bartizan_data::{CsvOptions, ProfileOptions, ReadOptions, Source, infer, profile};
use expect_test::{Expect, expect};

fn frame(text: &str) -> Frame {
    let source = Source::stream(Cursor::new(text.as_bytes().to_vec()));
    Frame::read(source, &ReadOptions::default(), 1, |_| Want::Found).unwrap().0
}

fn check(reference: &str, current: &str, expected: Expect) {
    let (one, two) = (frame(reference), frame(current));
    let mut text = String::new();
    for pair in pairs(&one, &two) {
        let texts: Vec<_> = pair.texts.iter().map(|text| String::from_utf8_lossy(text)).collect();
        let side = |held: &Held<'_>| match held {
            Held::Absent => "absent".to_owned(),
            Held::Numbers(numbers) => format!("{numbers:?}"),
            Held::Codes(codes) => {
                let name =
                    |code: &u32| if *code == Side::MISSING { "-".to_owned() } else { code.to_string() };
                codes.iter().map(name).collect::<Vec<_>>().join(" ")
            }
        };
        let (one, two) = (side(&pair.reference), side(&pair.current));
        text.push_str(&format!("{} {:?}: {one} | {two} {texts:?} {:?}\n", pair.name, pair.kind, pair.schema));
    }
    expected.assert_eq(&text);
}

#[test]
fn columns_are_put_side_by_side_by_name() {
    check(
        "n,t,d,gone,mixed\n1,b,2024-01-01,x,1\n,a,1970-01-02 00:00:01,x,2024-01-01\n2.5,b,,y,zz\n",
        "t,n,d,new,mixed\nc,3,2024-01-01,7,1\na,,,8,\n",
        expect![[r#"
            n Numbers: [1.0, NaN, 2.5] | [3.0, NaN] [] None
            t Texts: 0 1 0 | 2 1 ["b", "a", "c"] None
            d Times: [1704067200.0, 86401.0, NaN] | [1704067200.0, NaN] [] None
            gone Texts: 0 0 1 | absent ["x", "y"] Some(Removed)
            mixed Texts: 0 1 2 | [1.0, NaN] ["1", "2024-01-01 00:00:00Z", "zz"] Some(Retyped)
            new Numbers: absent | [7.0, 8.0] [] Some(Added)
        "#]],
    );
    // A side without any value is what the other one is.
    check(
        "a,b\n,\n,x\n",
        "a,b\n1,\n,\n",
        expect![[r#"
            a Numbers: [NaN, NaN] | [1.0, NaN] [] None
            b Texts: - 0 | - - ["x"] None
        "#]],
    );
}

#[test]
fn a_table_is_the_same_in_every_format_and_on_any_number_of_threads() {
    let (mut csv, mut json) = ("a,b,c\n".to_owned(), String::new());
    for row in 0..20_000 {
        let (a, b) = (row % 97, ["x", "y", "z"][row % 3]);
        if row % 5 == 0 {
            csv.push_str(&format!("{a},{b},\n"));
            json.push_str(&format!("{{\"a\": {a}, \"b\": \"{b}\"}}\n"));
        } else {
            csv.push_str(&format!("{a},{b},{row}.5\n"));
            json.push_str(&format!("{{\"a\": {a}, \"b\": \"{b}\", \"c\": {row}.5}}\n"));
        }
    }
    let read = |text: &str, threads| {
        let source = Source::stream(Cursor::new(text.as_bytes().to_vec()));
        Frame::read(source, &ReadOptions::default(), threads, |_| Want::Found).unwrap().0
    };
    let one = read(&csv, 1);
    for (text, threads) in [(&csv, 3), (&json, 1), (&json, 4)] {
        // NaN equals nothing, so numbers are compared as they are written.
        let other = read(text, threads);
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
    }
    let as_text = |name: &str| if name == "a" { Want::Categories } else { Want::Skip };
    let source = Source::stream(Cursor::new(csv.into_bytes()));
    let (only, _) = Frame::read(source, &ReadOptions::default(), 2, as_text).unwrap();
    assert_eq!((only.columns().len(), only.columns()[0].kind()), (1, FrameKind::Texts));
}

#[test]
fn equal_values_are_one_category_however_they_are_written() {
    // What pandas writes to CSV, and the same as JSON lines.
    let (mut csv, mut json) = ("flag,code,day,zip\n".to_owned(), String::new());
    for row in 0..3_000 {
        let (flag, code, zip) = (row % 3 == 0, row % 7, row % 4);
        let spelled = if flag { "True" } else { "False" };
        csv.push_str(&format!("{spelled},{code}.0,2024-01-0{},{zip}.50\n", code + 1));
        let day = format!("2024-01-0{}T00:00:00Z", code + 1);
        json.push_str(&format!(
            "{{\"flag\": {flag}, \"code\": {code}, \"day\": \"{day}\", \"zip\": \"{zip}.50\"}}\n"
        ));
    }
    let want = |name: &str| match name {
        "flag" => Want::Found,
        "zip" => Want::Texts,
        _ => Want::Categories,
    };
    let drifted = |columns: &[Column<'_>]| {
        let report = compare(columns, &Comparison::default(), &Options::default());
        assert_eq!(report.columns.len(), 4);
        let apart = report.columns.iter().filter(|line| line.value.is_none_or(|value| value.high > 0.0));
        apart.map(|line| line.column.clone()).collect::<Vec<_>>()
    };
    let read = |text: &str| {
        let source = Source::stream(Cursor::new(text.as_bytes().to_vec()));
        Frame::read(source, &ReadOptions::default(), 2, want).unwrap().0
    };
    let (one, two) = (read(&csv), read(&json));
    let tables = pairs(&one, &two);
    let columns: Vec<Column<'_>> = tables.iter().map(|pair| pair.column()).collect();
    assert_eq!(drifted(&columns), Vec::<String>::new());
    let profiled = |text: &str| {
        let source = Source::stream(Cursor::new(text.as_bytes().to_vec()));
        profile(source, &ProfileOptions::default(), 2).unwrap().0
    };
    let (one, two) = (profiled(&csv), profiled(&json));
    let profiles = profile_pairs(&one, &two, want);
    let columns: Vec<Column<'_>> = profiles.iter().map(|pair| pair.column()).collect();
    assert_eq!(drifted(&columns), Vec::<String>::new());
    // As texts they are as far apart as can be, all but those that are one text in both.
    let (one, two) = [&csv, &json]
        .map(|text| {
            let source = Source::stream(Cursor::new(text.as_bytes().to_vec()));
            Frame::read(source, &ReadOptions::default(), 1, |_| Want::Texts).unwrap().0
        })
        .into();
    let tables = pairs(&one, &two);
    let columns: Vec<Column<'_>> = tables.iter().map(|pair| pair.column()).collect();
    assert_eq!(drifted(&columns), ["code", "day"]);
}

#[test]
fn rows_are_grouped_by_values_and_periods() {
    let table = frame("n,t,at\n10,b,2024-03-31 23:59:59\n-2,a,2024-04-01\n,,\n10,b,2023-12-31 00:00:00\n");
    let tags = |name: &str, every: Option<Period>| {
        let tags = Tags::of(None, table.column(name), every);
        (tags.current, tags.names.join(" "))
    };
    let missing = Side::MISSING;
    assert_eq!(tags("n", None), (vec![1, 0, missing, 1], "-2 10".to_owned()));
    assert_eq!(tags("t", None), (vec![1, 0, missing, 1], "a b".to_owned()));
    assert_eq!(
        tags("at", Some(Period::Month)),
        (vec![1, 2, missing, 0], "2023-12 2024-03 2024-04".to_owned())
    );
    assert_eq!(tags("at", Some(Period::Year)).1, "2023 2024");
    assert_eq!(tags("at", Some(Period::Week)).1, "2023-12-25 2024-03-25 2024-04-01");
    assert_eq!(tags("at", Some(Period::Day)).1, "2023-12-31 2024-03-31 2024-04-01");
    assert_eq!(tags("at", Some(Period::Hour)).1, "2023-12-31 00:00 2024-03-31 23:00 2024-04-01 00:00");
    assert_eq!(tags("at", None).1, "2023-12-31 2024-03-31 23:59:59 2024-04-01");
    assert_eq!(month(0), 1_970 * 12);
    assert_eq!(month(1_711_929_600) - month(1_711_929_599), 1);
    assert_eq!(Period::Year.start(i64::MIN), Period::Year.start(-(1 << 52)));
}

#[test]
fn keys_are_told_apart_exactly() {
    let keys = |text: &str, threads| {
        let source = Source::stream(Cursor::new(text.as_bytes().to_vec()));
        Frame::read(source, &ReadOptions::default(), threads, |_| Want::Key).unwrap().0
    };
    let check = |reference: &str, current: &str, expected: Expect| {
        let (one, two) = (keys(reference, 1), keys(current, 1));
        let mut text = String::new();
        for column in one.columns() {
            let tags = Tags::of(Some(column), two.column(column.name()), None);
            let of = |codes: &[u32]| {
                let code =
                    |code: &u32| if *code == Side::MISSING { "-".to_owned() } else { code.to_string() };
                codes.iter().map(code).collect::<Vec<_>>().join(" ")
            };
            text.push_str(&format!("{} | {} {:?}\n", of(&tags.reference), of(&tags.current), tags.names));
        }
        expected.assert_eq(&text);
    };
    // Beyond 2^53 a double does not tell them; with a gap, with one that is not of 64 bits, as floats and as text.
    check(
        "a\n9007199254740993\n9007199254740992\nNA\n-9223372036854775808\n9223372036854775807\n",
        "a\n9223372036854775807\n9223372036854775806\n9007199254740992\n",
        expect![[r#"
            2 1 - 0 4 | 4 3 1 ["-9223372036854775808", "9007199254740992", "9007199254740993", "9223372036854775806", "9223372036854775807"]
        "#]],
    );
    check(
        "a\n18446744073709551615\n18446744073709551614\n12\nNA\n",
        "a\n12\n18446744073709551614\nx\n",
        expect![[r#"
            2 1 0 - | 0 1 3 ["12", "18446744073709551614", "18446744073709551615", "x"]
        "#]],
    );
    check(
        "a,b,c\n2,2.0,007\n10,,7\n",
        "{\"a\": \"10\", \"b\": 2, \"c\": \"7\"}\n{\"a\": \"2\", \"b\": 1.5, \"c\": \"007\"}\n",
        expect![[r#"
            0 1 | 1 0 ["2", "10"]
            1 - | 1 0 ["1.5", "2"]
            1 0 | 0 1 ["7", "007"]
        "#]],
    );
    // A double of seconds does not tell times that are less than a quarter of a microsecond apart; with a gap, with a
    // day, an offset and a digit more, and among texts.
    check(
        "a,b\n2024-01-02 03:04:05.000000001,2024-01-02 03:04:05.000000001\n2024-01-02 03:04:05.000000002,x\n,\n\
         2024-01-02,2024-01-02 03:04:05.000000002\n1969-12-31 23:59:59.9,1969-12-31 23:59:59.9\n",
        "a,b\n2024-01-02T04:04:05.0000000020+01:00,x\n2024-01-02 00:00:00Z,2024-01-02 03:04:05.000000002Z\n,\n\
         2024-01-02 03:04:05.000000003,2024-01-02 03:04:05.000000003\n",
        expect![[r#"
            2 3 - 1 0 | 3 1 - 4 ["1969-12-31 23:59:59.9", "2024-01-02", "2024-01-02 03:04:05.000000001", "2024-01-02 03:04:05.000000002", "2024-01-02 03:04:05.000000003"]
            1 4 - 2 0 | 4 2 - 3 ["1969-12-31 23:59:59.9", "2024-01-02 03:04:05.000000001", "2024-01-02 03:04:05.000000002", "2024-01-02 03:04:05.000000003", "x"]
        "#]],
    );
    check(
        "a\n2024-01-02 03:04:05.0000000011\n2024-01-02 03:04:05.0000000012\n2024-01-02 03:04:05.5\n",
        "a\nx\n2024-01-02 03:04:05.0000000012\n2024-01-02 03:04:05.5\n",
        expect![[r#"
            1 2 0 | 3 2 0 ["2024-01-02 03:04:05.5", "2024-01-02 03:04:05.0000000011", "2024-01-02 03:04:05.0000000012", "x"]
        "#]],
    );
    // One time that says more than the others makes no difference to these.
    check(
        "a\n2024-01-02 03:04:05.5\n2024-01-03T00:00:00+01:00\n2024-01-04\n",
        "a\n2024-01-02 03:04:05.5Z\n2024-01-02 23:00:00\n2024-01-04T00:00:00.0000000001Z\n2024-01-04 00:00:00\n",
        expect![[r#"
            0 1 2 | 0 1 3 2 ["2024-01-02 03:04:05.5", "2024-01-02 23:00:00", "2024-01-04", "2024-01-04T00:00:00.0000000001Z"]
        "#]],
    );
    let more = keys("a,b\n2024-01-02 03:04:05.1234567891Z,\n2024-01-02 23:59:59Z,\n,\n2024-01-03,\n", 1);
    let column = more.column("a").unwrap();
    let tags = Tags::of(None, Some(column), Some(Period::Day));
    assert_eq!((tags.current, column.holds_times()), (vec![0, 0, Side::MISSING, 1], true));
    assert_eq!(tags.names, ["2024-01-02", "2024-01-03"]);
    assert!(!keys("a\n2024-01-02 03:04:05.1234567891Z\nx\n", 1).column("a").unwrap().holds_times());
    let before = keys("a\n1969-12-31 23:59:59.5\n1970-01-01 00:00:00.5\n", 1);
    assert_eq!(Tags::of(None, before.column("a"), Some(Period::Day)).names, ["1969-12-31", "1970-01-01"]);
    let times: String = (0..30_000).map(|row| format!("2024-01-02 03:04:05.{:09}\n", row % 20_011)).collect();
    let of = |threads| Tags::of(None, keys(&format!("a\n{times}"), threads).column("a"), None);
    assert_eq!(of(1).names.len(), 20_011);
    assert_eq!(of(1), of(4));
    let many: String = (0..30_000_i64).map(|row| format!("{}\n", i64::MAX - row % 20_011)).collect();
    let of = |threads| Tags::of(None, keys(&format!("a\n{many}"), threads).column("a"), None);
    assert_eq!(of(1).names.len(), 20_011);
    assert_eq!(of(1), of(4));
}

#[test]
fn profiles_judge_as_tables_do_within_their_bounds() {
    let mut random = Random::new(3);
    let mut table = |shift: f64, kinds: &[&str], codes: u64| {
        let mut text = "amount,kind,code,flag,empty\n".to_owned();
        for row in 0..6_000 {
            let amount = shift + random.normal();
            let kind = kinds[random.below(kinds.len() as u64) as usize];
            // Many categories, of which one has a share of a fifth on the one side and two fifths on the other.
            let code = if random.below(100) < codes { 0 } else { random.below(4_000) + 1 };
            text.push_str(&format!("{amount},{kind},c{code},{},\n", row % 2 == 0));
        }
        text
    };
    let profile = |text: &str| infer(text.as_bytes(), &CsvOptions::default()).unwrap().0;
    let (old, same, new) =
        (table(0.0, &["a", "b"], 20), table(0.0, &["a", "b"], 20), table(0.5, &["a", "b", "b"], 40));
    let judged = |one: &str, two: &str| {
        let (one, two) = (profile(one), profile(two));
        let pairs = profile_pairs(&one, &two, |_| Want::Found);
        let columns: Vec<Column<'_>> = pairs.iter().map(|pair| pair.column()).collect();
        compare(&columns, &Comparison::default(), &Options::default())
    };
    let report = judged(&old, &new);
    let drifted: Vec<&str> = report.drifted().map(|line| line.column.as_str()).collect();
    assert_eq!(drifted, ["amount", "kind", "code"], "{}", report.render());
    let code = report.columns.iter().find(|line| line.column == "code").unwrap();
    assert!(matches!(code.mode, Mode::Sketch { .. }), "{code:?}");
    let code = code.value.unwrap();
    let report = judged(&old, &same);
    assert_eq!(report.drifted().count(), 0, "{}", report.render());
    // A column without values on both sides has nothing that could drift.
    assert_eq!(report.outcome(), bartizan_data::Outcome::Valid, "{}", report.render());
    // The tables themselves say the same.
    let (one, two) = (frame(&old), frame(&new));
    let pairs = pairs(&one, &two);
    let columns: Vec<Column<'_>> = pairs.iter().map(|pair| pair.column()).collect();
    let exact = compare(&columns, &Comparison::default(), &Options::default());
    let true_share = exact.columns.iter().find(|line| line.column == "code").unwrap().value.unwrap().value;
    assert!(code.low <= true_share && true_share <= code.high && code.high - code.low < 0.02, "{code:?}");
    let amount = |report: &bartizan_data::drift::DriftReport| report.columns[0].value.unwrap();
    let (sketched, exact) = (amount(&judged(&old, &new)), amount(&exact));
    assert!(sketched.low <= exact.value && exact.value <= sketched.high, "{sketched:?} {exact:?}");
}

#[test]
fn frequent_categories_are_compared_within_their_bounds() {
    let frequent =
        |counts: &[u64], error, values| Frequent { counts: counts.to_vec(), error, values, missing: 0 };
    let judged = |one: &Frequent, two: &Frequent, statistic| {
        let column = Column { statistic, ..Column::new("c", Side::Frequent(one), Side::Frequent(two)) };
        compare(&[column], &Comparison::default(), &Options::default()).columns.remove(0)
    };
    let (one, two) = (frequent(&[500, 100], 10, 1_000), frequent(&[200, 100, 50], 20, 1_000));
    let line = judged(&one, &two, None);
    let value = line.value.unwrap();
    assert_eq!((value.low, value.high), (0.28, 0.31));
    assert_eq!((line.verdict, line.statistic), (Verdict::Drift, Statistic::LInfinity));
    let wide = frequent(&[500, 100], 400, 1_000);
    let not = |reason| Verdict::NotJudged(reason);
    let coarse = judged(&wide, &frequent(&[450, 100], 400, 1_000), None);
    assert_eq!(coarse.verdict, not(NotJudged::BoundsTooWide), "{coarse:?}");
    assert_eq!(judged(&one, &two, Some(Statistic::Psi)).verdict, not(NotJudged::BoundsTooWide));
    assert_eq!(judged(&frequent(&[9], 0, 5), &two, None).verdict, not(NotJudged::Unsound));
    // Exact counts on one side are a kind without error.
    let exact = [300_u64, 100, 0, 0, 600];
    let column = Column::new("c", Side::CategoryCounts(&exact, 0), Side::Frequent(&two));
    let line = compare(&[column], &Comparison::default(), &Options::default()).columns.remove(0);
    // The last category has a share of 0.6 on one side and of 0.02 at most on the other.
    assert!((line.value.unwrap().low - 0.58).abs() < 1e-12, "{line:?}");
}

/// Values of two sources over a hundred hours; from hour 70 on source 1 says something else.
fn sourced(from: usize) -> (Vec<f64>, Vec<f64>, Vec<u32>) {
    let mut random = Random::new(9);
    let (mut values, mut times, mut sources) = (Vec::new(), Vec::new(), Vec::new());
    for hour in from..from + 50 {
        for at in 0..60 {
            let source = u32::from(at % 3 == 0);
            let moved = hour >= 70 && source == 1;
            values.push(random.normal() + if moved { 3.0 } else { 0.0 });
            times.push(hour as f64 * 3_600.0 + f64::from(at) * 60.0);
            sources.push(source);
        }
    }
    (values, times, sources)
}

#[test]
fn the_course_of_a_column_tells_what_kind_of_change_it_is() {
    let (before, after) = (sourced(0), sourced(50));
    let held = |values: &[f64]| Held::Numbers(values.to_vec().into());
    let facts = RowFacts {
        times: Some((&before.1, &after.1)),
        sources: Some((&before.2, &after.2)),
        ..RowFacts::default()
    };
    let Course { buckets, split, begins } = course(&held(&before.0), &held(&after.0), &facts).unwrap();
    // Twelve stretches of each side, none of which holds the last row alone.
    assert_eq!((buckets.len(), split, begins.len()), (24, 12, 24));
    let length = (50.0 * 3_600.0 - 60.0) / 12.0;
    assert!(
        (begins[1] - length).abs() < 1e-6 && (begins[13] - 180_000.0 - length).abs() < 1e-6,
        "{begins:?}"
    );
    let rows_of = |bucket: &Bucket| bucket.groups.iter().flat_map(|group| &group.counts).sum::<u64>();
    assert!(buckets.iter().all(|bucket| (249..=251).contains(&rows_of(bucket))), "{buckets:?}");
    let change = explain(&buckets, split, &[], &ChangeOptions::default());
    assert_eq!(change.kind, ChangeKind::SuspectedAttack, "{change:?}");
    assert_eq!(change.evidence.source.unwrap().id, 1);
    // Without times the source is known all the same.
    let facts = RowFacts { times: None, ..facts };
    let Course { buckets, split, .. } = course(&held(&before.0), &held(&after.0), &facts).unwrap();
    let rows = |buckets: &[Bucket]| -> u64 {
        buckets.iter().flat_map(|one| &one.groups).flat_map(|group| &group.counts).sum()
    };
    assert_eq!((split, rows(&buckets)), (1, 6_000));
    let (one, two) = buckets.split_at(split);
    let found = carriers(one, two, &ChangeOptions::default());
    assert_eq!(found.source.map(|part| part.id), Some(1), "{found:?}");
    // Sides that overlap in time have no before and after.
    let facts = RowFacts { times: Some((&after.1, &before.1)), ..RowFacts::default() };
    assert!(course(&held(&before.0), &held(&after.0), &facts).is_none());
    assert!(course(&held(&before.0), &Held::Absent, &RowFacts::default()).is_none());
}
