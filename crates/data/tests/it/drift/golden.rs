//! The stored samples: what version 1 wrote must be read, and written the same way, for ever.

use std::fs;
use std::path::Path;

use bartizan_data::Outcome;
use bartizan_data::drift::{
    Beside, BesideTest, ColumnDrift, DriftReport, DriftReportInvalid, Measure, Mode, NotJudged, Purpose,
    Verdict, Watch,
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
    report.beside = vec![Beside {
        test: BesideTest::Together,
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
