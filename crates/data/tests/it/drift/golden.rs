//! The stored samples: what version 1 wrote must be read, and written the same way, for ever.

use std::fs;
use std::path::Path;

use bartizan_data::Outcome;
use bartizan_data::drift::{
    Bounded, ColumnDrift, DriftReport, DriftReportInvalid, Measure, Mode, NotJudged, Purpose, TableFinding,
    TableTest, Undefined, Verdict, Watch,
};

fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(name)).unwrap()
}

#[test]
fn a_report_is_read_and_written_the_same() {
    let bytes = sample("drift-report/v1/report.json");
    let report = DriftReport::from_bytes(&bytes).unwrap();
    assert_eq!(report.to_bytes().unwrap(), bytes);
    assert_eq!((report.purpose, report.level, report.seed), (Purpose::Drift, 0.05, 1));
    let of = |name: &str, measure| -> &ColumnDrift {
        report.columns.iter().find(|line| line.column == name && line.measure == measure).unwrap()
    };
    let amount = of("amount", Measure::Values);
    assert_eq!(amount.verdict, Verdict::Drift);
    let (value, (p, _)) = (amount.value.unwrap(), amount.p.unwrap());
    assert!(value.low < value.value && value.value < value.high && p < 1e-6, "{amount:?}");
    assert!(matches!(amount.mode, Mode::Sketch { rank_error } if rank_error > 0.0 && rank_error < 0.1));
    assert_eq!((amount.reference.values, amount.current.values), (3_000, 2_500));
    assert_eq!(of("note", Measure::Values).verdict, Verdict::NoDrift);
    assert_eq!(of("age", Measure::Missing).verdict, Verdict::Drift);
    let gone = NotJudged::AbsentFromCurrent;
    assert_eq!(of("only_old", Measure::Values).verdict, Verdict::NotJudged(gone));
    assert_eq!(report.outcome(), Outcome::Invalid);
}

#[test]
fn what_is_written_can_be_read_however_much_there_is() {
    let mut report = DriftReport::from_bytes(&sample("drift-report/v1/report.json")).unwrap();
    let line = |name: String, measure, verdict| -> ColumnDrift {
        ColumnDrift { measure, verdict, ..ColumnDrift::not_judged(&name, NotJudged::TooFew) }
    };
    report.columns = (0..30_000)
        .map(|at| line(format!("calm {at}"), Measure::Values, Verdict::NoDrift))
        .chain([line("late".to_owned(), Measure::Values, Verdict::NotJudged(NotJudged::TooFew))])
        .collect();
    report.beside = vec![TableFinding {
        test: TableTest::Together,
        column: String::new(),
        outcome: Outcome::Valid,
        message: "50 of 100".to_owned(),
    }];
    let bytes = report.to_bytes().unwrap();
    let read = DriftReport::from_bytes(&bytes).unwrap();
    assert_eq!((read.columns.len(), read.left_out, &read.beside), (20_000, 10_001, &report.beside));
    // What was not judged stays, in its place, and so does the outcome.
    assert_eq!(read.columns.last().unwrap().column, "late");
    assert_eq!((read.outcome(), report.outcome()), (Outcome::Error, Outcome::Error));
    assert_eq!(read.to_bytes().unwrap(), bytes);
    report.columns.push(line("last".to_owned(), Measure::Values, Verdict::Drift));
    let read = DriftReport::from_bytes(&report.to_bytes().unwrap()).unwrap();
    assert_eq!((read.left_out, read.outcome()), (10_002, Outcome::Invalid));
    // Names are long: the bytes are what there is no room for.
    report.columns.iter_mut().for_each(|line| line.column = format!("{}{}", "x".repeat(4_000), line.column));
    let read = DriftReport::from_bytes(&report.to_bytes().unwrap()).unwrap();
    assert_eq!((read.columns.len(), read.outcome()), (2_500, Outcome::Invalid));
    // What was asked beside the columns counts.
    report.columns.truncate(3);
    report.beside[0].outcome = Outcome::Invalid;
    assert_eq!(report.outcome(), Outcome::Invalid);
    let text = String::from_utf8(report.to_bytes().unwrap()).unwrap();
    for (from, to) in
        [("\"test\":\"together\"", "\"test\":\"apart\""), ("\"outcome\":\"invalid\"", "\"outcome\":\"bad\"")]
    {
        assert!(text.contains(from), "{from}");
        let error = DriftReport::from_bytes(text.replacen(from, to, 1).as_bytes()).unwrap_err();
        assert!(matches!(error, DriftReportInvalid::Member { member: "beside", .. }), "{error}");
    }
}

#[test]
fn what_is_left_out_never_changes_the_outcome() {
    let line = |name: String, measure, verdict| -> ColumnDrift {
        ColumnDrift { measure, verdict, ..ColumnDrift::not_judged(&name, NotJudged::TooFew) }
    };
    let sample = DriftReport::from_bytes(&sample("drift-report/v1/report.json")).unwrap();
    let of = |columns: Vec<ColumnDrift>, beside: Vec<TableFinding>| DriftReport {
        columns,
        beside,
        left_out: 0,
        ..sample.clone()
    };
    let again = |report: &DriftReport| {
        let bytes = report.to_bytes().unwrap();
        let read = DriftReport::from_bytes(&bytes).unwrap();
        assert_eq!(read.outcome(), report.outcome());
        let (all, kept) =
            (report.columns.len() + report.beside.len(), read.columns.len() + read.beside.len());
        assert_eq!(read.left_out, (all - kept) as u64);
        read
    };
    // What was asked beside the columns, the last of which alone is not valid.
    let calm = || vec![line("calm".to_owned(), Measure::Values, Verdict::NoDrift)];
    let beside = |outcome| TableFinding {
        test: TableTest::Skew,
        column: "c".to_owned(),
        outcome,
        message: "none of 9".to_owned(),
    };
    let mut all = vec![beside(Outcome::Valid); 20_003];
    assert_eq!(again(&of(calm(), all.clone())).outcome(), Outcome::Valid);
    for outcome in [Outcome::Error, Outcome::Invalid] {
        all.push(beside(outcome));
        let read = again(&of(calm(), all.clone()));
        assert_eq!((read.outcome(), read.beside.len()), (outcome, 20_000));
        assert_eq!(read.beside.last(), all.last());
    }
    // Columns that are empty on a side, and lines far from them that tell that this is no error. Where a line is kept before
    // them there is room for an odd number.
    let none = Verdict::NotJudged(NotJudged::Undefined(Undefined::NoCurrent));
    let effect = Some(Bounded::exact(0.0));
    let name = |at: u32| format!("empty {at}");
    let empty = |count: u32| -> Vec<ColumnDrift> {
        let values = (0..count).map(|at| line(name(at), Measure::Values, none));
        let missing =
            (0..count).map(|at| ColumnDrift { effect, ..line(name(at), Measure::Missing, Verdict::NoDrift) });
        values.chain(missing).collect()
    };
    let open = vec![line("open".to_owned(), Measure::Values, none)];
    let drift = vec![line("drift".to_owned(), Measure::Values, Verdict::Drift)];
    for (columns, outcome, kept) in [
        ([calm(), empty(10_000)].concat(), Outcome::Valid, 20_000),
        ([empty(10_000), open].concat(), Outcome::Error, 19_999),
        ([empty(10_000), drift].concat(), Outcome::Invalid, 19_999),
    ] {
        let read = again(&of(columns, Vec::new()));
        assert_eq!((read.outcome(), read.columns.len()), (outcome, kept));
        let names = |measure| -> Vec<String> {
            let lines = read.columns.iter().filter(|line| line.measure == measure);
            lines.filter(|line| line.column.starts_with("empty")).map(|line| line.column.clone()).collect()
        };
        assert_eq!(names(Measure::Values), names(Measure::Missing));
    }
    // There is room for one of two lines that say together that nothing is open: what is written would be an error.
    let mut two = empty(1);
    two.iter_mut().for_each(|line| line.column = "x".repeat(9 << 20));
    let error = of(two, Vec::new()).to_bytes().unwrap_err();
    assert_eq!(error.to_string(), "there is no room for the entries from which `valid` follows");
}

#[test]
fn other_bytes_are_no_report() {
    let bytes = sample("drift-report/v1/report.json");
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(DriftReport::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        DriftReport::from_bytes(text.replacen(from, to, 1).as_bytes()).unwrap_err()
    };
    let member = |error: DriftReportInvalid| match error {
        DriftReportInvalid::Member { member, .. } => member,
        other => panic!("{other}"),
    };
    let format = changed("drift-report-v1", "drift-report-v2");
    assert_eq!(format.to_string(), "`bartizan-drift-report-v2` is not `bartizan-drift-report-v1`");
    // A verdict that is not judged needs a reason, a number its one spelling, a sketch its error.
    assert_eq!(member(changed("\"absent-from-current\"", "null")), "verdict");
    assert_eq!(member(changed("absent-from-current", "absent")), "reason");
    assert_eq!(member(changed("\"level\":\"0.05\"", "\"level\":\"0.050\"")), "level");
    assert_eq!(member(changed("\"mode\":\"sketch\"", "\"mode\":\"exact\"")), "mode");
    assert_eq!(member(changed("\"seed\":\"1\"", "\"seed\":\"01\"")), "seed");
    assert_eq!(member(changed("\"statistic\":\"ks\"", "\"statistic\":\"kx\"")), "statistic");
    // Whatever one bit changes, what is read is written the same.
    for bit in (0..bytes.len() * 8).step_by(37) {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = DriftReport::from_bytes(&changed) {
            assert_eq!(other.to_bytes().unwrap(), changed, "bit {bit}");
        }
    }
}

#[test]
fn a_watch_is_read_and_written_the_same() {
    let bytes = sample("drift-watch/v1/watch.json");
    let watch = Watch::from_bytes(&bytes).unwrap();
    assert_eq!(watch.to_bytes().unwrap(), bytes);
}
