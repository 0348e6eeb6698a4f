//! The stored samples: what version 1 wrote must be read, and written the same way, for ever.

use std::fs;
use std::path::Path;

use bartizan_data::Outcome;
use bartizan_data::drift::{
    ColumnDrift, DriftReport, DriftReportInvalid, Measure, Mode, NotJudged, Purpose, Verdict, Watch,
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
