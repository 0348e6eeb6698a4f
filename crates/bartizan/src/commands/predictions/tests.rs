//! Moments as people write them.

use bartizan_base::Timestamp;

use super::moment;

#[test]
fn moments_are_times_days_and_how_long_ago() {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    for (text, expected) in [
        ("2026-02-01T10:00:00+01:00", "2026-02-01T09:00:00.000Z"),
        ("2026-02-01", "2026-02-01T00:00:00.000Z"),
        ("30s", "2026-03-01T11:59:30.000Z"),
        ("90m", "2026-03-01T10:30:00.000Z"),
        ("24h", "2026-02-28T12:00:00.000Z"),
        ("7d", "2026-02-22T12:00:00.000Z"),
        ("4294967295d", "1970-01-01T00:00:00.000Z"),
    ] {
        assert_eq!(moment(text, now).unwrap().to_string(), expected, "{text}");
    }
    for text in ["", "yesterday", "7", "7w", "-7d", "d", "2026-13-01", "99999999999d"] {
        let refused = moment(text, now).unwrap_err();
        assert!(refused.next.contains("24h"), "{text}: {refused}");
    }
}
