//! Counting: every request once, in its minute and bucket, from any thread.

use std::sync::Arc;
use std::time::Duration;

use bartizan_base::{Name, Timestamp};
use expect_test::expect;

use super::histogram::{BUCKETS, bucket_end_micros, bucket_of};
use super::{Class, Numbers, OfEndpoint, Outcome, TurnedAway};

const MINUTE: i64 = 60_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis)
}

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

fn scores() -> Name {
    "scores".parse().unwrap()
}

#[test]
fn every_duration_is_in_the_bucket_that_ends_with_it_or_after_it() {
    let ends: Vec<Option<u64>> = (0..BUCKETS).map(bucket_end_micros).collect();
    assert!(ends[..BUCKETS - 1].windows(2).all(|pair| pair[0] < pair[1]), "{ends:?}");
    assert_eq!((ends[0], ends[BUCKETS - 2], ends[BUCKETS - 1]), (Some(16), Some(1 << 26), None));
    for (bucket, end) in ends.iter().enumerate() {
        let Some(end) = end else { continue };
        assert_eq!(bucket_of(micros(*end)), bucket, "{end} is the last of its bucket");
        assert_eq!(bucket_of(micros(*end) + Duration::from_nanos(1)), bucket + 1, "{end} and a bit");
    }
    assert_eq!((bucket_of(Duration::ZERO), bucket_of(Duration::MAX)), (0, BUCKETS - 1));
}

#[test]
fn quantiles_are_right_to_about_a_tenth() {
    let numbers = OfEndpoint::default();
    assert_eq!(numbers.seen(at(0)).hour().quantile(500), None);
    for millis in 1..=1000 {
        numbers.count(at(0), Duration::from_millis(millis), Outcome::Primary, false);
    }
    let hour = numbers.seen(at(1000)).hour();
    for (per_mille, exact) in [(1, 1_000), (500, 500_000), (950, 950_000), (990, 990_000), (1000, 1_000_000)]
    {
        let told = hour.quantile(per_mille).unwrap();
        assert!(told.abs_diff(exact) * 8 <= exact, "{per_mille}: {told} for {exact}");
    }
    let far = OfEndpoint::default();
    far.count(at(0), Duration::from_secs(600), Outcome::Primary, false);
    assert_eq!(far.seen(at(600_000)).hour().quantile(990), Some(1 << 26), "no longer than can be told");
}

#[test]
fn what_came_of_a_request_is_counted_once_and_in_its_class() {
    let numbers = OfEndpoint::default();
    for (times, outcome) in Outcome::ALL.into_iter().enumerate() {
        for _ in 0..=times {
            numbers.count(at(0), micros(200), outcome, outcome == Outcome::Fallback);
        }
    }
    let seen = numbers.seen(at(1000));
    let each: Vec<String> =
        Outcome::ALL.iter().map(|outcome| format!("{} {}", outcome.as_str(), seen.of(*outcome))).collect();
    expect!["primary 1, fallback 2, constant 3, malformed 4, too_large 5, too_slow 6, mismatch 7, beyond_training 8, version 9, abandoned 10, no_answer 11, busy 12, unavailable 13, not_recorded 14, defect 15"]
        .assert_eq(&each.join(", "));
    assert_eq!((seen.ended(), seen.flagged), (120, 2));
    assert_eq!(Class::ALL.map(|class| seen.of_class(class)), [1, 5, 49, 65]);
    assert_eq!(seen.latency.total(), 6, "only what was answered tells how long an answer takes");
    assert_eq!(seen.latency_sum, micros(6 * 200));
    assert_eq!(seen.hour().total(), 6);
}

#[test]
fn minutes_go_out_after_an_hour_and_seconds_after_a_minute() {
    let numbers = OfEndpoint::default();
    let count = |millis: i64| numbers.count(at(millis), micros(20), Outcome::Primary, false);
    count(0);
    count(30 * MINUTE);
    count(30 * MINUTE + 1000);
    let look = |millis: i64| {
        let seen = numbers.seen(at(millis));
        let minutes = seen.minutes.iter().map(|minute| minute.of(Class::Answered));
        let known: Vec<(usize, u64)> = minutes.enumerate().filter(|(_, count)| *count > 0).collect();
        (known, seen.last_minute, seen.ended())
    };
    assert_eq!(look(30 * MINUTE + 2000), (vec![(29, 1), (59, 2)], 2, 3));
    assert_eq!(look(31 * MINUTE), (vec![(28, 1), (58, 2)], 1, 3));
    assert_eq!(look(31 * MINUTE + 1000), (vec![(28, 1), (58, 2)], 0, 3));
    assert_eq!(look(60 * MINUTE), (vec![(29, 2)], 0, 3));
    // The place of the first minute is used again.
    count(60 * MINUTE);
    assert_eq!(look(60 * MINUTE), (vec![(29, 2), (59, 1)], 1, 4));
    let newest = numbers.seen(at(60 * MINUTE + 59_999)).minutes.last().unwrap().at;
    assert_eq!(newest, at(60 * MINUTE));
    // A clock that is set back begins anew; totals stay.
    count(0);
    assert_eq!(look(0), (vec![(59, 1)], 1, 5));
}

#[test]
fn nothing_is_lost_between_threads() {
    let numbers = Arc::new(OfEndpoint::default());
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let numbers = Arc::clone(&numbers);
            std::thread::spawn(move || {
                for step in 0..10_000 {
                    // All threads turn the rings at the same times.
                    numbers.count(at(step * 60), micros(50), Outcome::Primary, true);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let seen = numbers.seen(at(9_999 * 60));
    assert_eq!((seen.ended(), seen.flagged, seen.latency.total()), (80_000, 80_000, 80_000));
    assert_eq!(seen.of_class(Class::Answered), 80_000);
    assert_eq!(seen.hour().total(), 80_000);
}

#[test]
fn a_request_is_under_way_until_its_tally_is_dropped() {
    let numbers = Numbers::default();
    let seen = || numbers.seen(&scores(), at(0));
    assert_eq!((seen().under_way, seen().ended()), (0, 0));
    let mut answered = numbers.begin(&scores(), at(0));
    let left = numbers.begin(&scores(), at(0));
    assert_eq!((seen().under_way, seen().ended()), (2, 0));
    answered.end(Outcome::Constant);
    drop((answered, left));
    assert_eq!((seen().under_way, seen().ended()), (0, 2));
    assert_eq!((seen().of(Outcome::Constant), seen().of(Outcome::Abandoned)), (1, 1));
    assert_eq!(numbers.seen(&"other".parse().unwrap(), at(0)).ended(), 0);
}

#[test]
fn who_gets_to_no_endpoint_is_counted_by_reason() {
    let numbers = Numbers::default();
    for status in [401, 401, 404, 503, 500, 401] {
        numbers.turn_away(TurnedAway::of_status(status));
    }
    assert_eq!(
        numbers.turned_away().map(|(why, count)| (why.as_str(), count)),
        [("unidentified", 3), ("unknown", 1), ("not_ready", 2)]
    );
}
