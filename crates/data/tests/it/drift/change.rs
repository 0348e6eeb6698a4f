//! Planted changes, and what they are taken for.

use bartizan_data::drift::{
    Bucket, Change, ChangeKind, ChangeOptions, Group, NotJudged, Random, SchemaChange, Undefined, explain,
};

use super::multinomial;

const USUAL: [f64; 5] = [0.3, 0.25, 0.2, 0.15, 0.1];
const MOVED: [f64; 5] = [0.1, 0.15, 0.2, 0.25, 0.3];

/// Thirty days of reference and thirty current ones, 400 rows a day from four sources of unequal size. Each day has
/// its own weather, and `shares` says what a source sends on a day, and how much of it has label 1.
fn days(seed: u64, shares: impl Fn(usize, u32) -> ([f64; 5], [f64; 5])) -> Vec<Bucket> {
    let mut random = Random::new(seed);
    let day = |day: usize| {
        let weather = USUAL.map(|_| 0.9 + 0.2 * random.uniform());
        let groups = (0..4_u32).flat_map(|source| {
            let (shares, labels) = shares(day, source);
            let shares: Vec<f64> =
                shares.iter().zip(weather).map(|(share, weather)| share * weather).collect();
            let counts = multinomial([160, 120, 80, 40][source as usize], &shares, &mut random);
            let ones: Vec<u64> =
                counts.iter().zip(labels).map(|(count, share)| random.binomial(*count, share)).collect();
            let zeros = counts.iter().zip(&ones).map(|(count, ones)| count - ones).collect();
            [Group { source, label: Some(0), counts: zeros }, Group { source, label: Some(1), counts: ones }]
        });
        Bucket { phase: 0, groups: groups.collect() }
    };
    (0..60).map(day).collect()
}

const FAIR: [f64; 5] = [0.2; 5];

fn mixed(part: f64) -> [f64; 5] {
    let mut shares = USUAL;
    shares.iter_mut().zip(MOVED).for_each(|(share, moved)| *share += part * (moved - *share));
    shares
}

fn told(buckets: &[Bucket]) -> Change {
    explain(buckets, 30, &[], &ChangeOptions::default())
}

#[test]
fn planted_changes_are_told_apart() {
    for seed in 0..12 {
        let none = told(&days(seed, |_, _| (USUAL, FAIR)));
        assert_eq!(none.kind, ChangeKind::None, "{none:?}");

        let gradual =
            told(&days(seed, |day, _| (mixed((day.saturating_sub(32) as f64 / 20.0).min(1.0)), FAIR)));
        assert_eq!(gradual.kind, ChangeKind::Gradual, "{gradual:?}");
        assert!((10..=26).contains(&gradual.evidence.rise), "{gradual:?}");

        let sudden = told(&days(seed, |day, _| (if day < 41 { USUAL } else { MOVED }, FAIR)));
        assert_eq!(sudden.kind, ChangeKind::Sudden, "{sudden:?}");
        assert_eq!(sudden.evidence.begins, 41, "{sudden:?}");

        let one_source = told(&days(seed, |day, source| {
            (if day >= 38 && source == 2 { [0.0, 0.0, 0.0, 0.05, 0.95] } else { USUAL }, FAIR)
        }));
        assert_eq!(one_source.kind, ChangeKind::SuspectedAttack, "{one_source:?}");
        assert_eq!(one_source.evidence.source.unwrap().id, 2, "{one_source:?}");

        // A fifth more rows of one value, all with label 1, from everywhere.
        let trigger = told(&days(seed, |day, _| {
            if day < 40 { (USUAL, FAIR) } else { ([0.3, 0.25, 0.2, 0.15, 0.4], [0.2, 0.2, 0.2, 0.2, 0.85]) }
        }));
        assert_eq!(trigger.kind, ChangeKind::SuspectedAttack, "{trigger:?}");
        assert_eq!(trigger.evidence.label_excess.unwrap().0, 1, "{trigger:?}");
    }
}

/// What takes the place of another label came on top of nothing.
#[test]
fn a_label_has_no_more_of_the_additional_rows_than_there_are() {
    for seed in 0..6 {
        let swapped = told(&days(seed, |day, _| {
            if day < 40 { (USUAL, FAIR) } else { ([0.2, 0.2, 0.2, 0.2, 0.2], [0.2, 0.2, 0.2, 0.9, 0.9]) }
        }));
        let (label, excess) = swapped.evidence.label_excess.unwrap();
        assert_eq!(label, 1, "{swapped:?}");
        assert!((0.6..=1.0).contains(&excess), "{swapped:?}");
    }
}

#[test]
fn gradual_drift_is_no_attack_even_from_one_source_with_another_label() {
    for seed in 0..12 {
        let change = told(&days(seed, |day, source| {
            let part = (day.saturating_sub(30) as f64 / 24.0).min(1.0);
            if source == 0 {
                (mixed(part * 1.3), [0.2, 0.2, 0.2, 0.2, 0.2 + 0.6 * part])
            } else {
                (USUAL, FAIR)
            }
        }));
        assert!(
            matches!(change.kind, ChangeKind::Gradual | ChangeKind::UnclearOnset | ChangeKind::None),
            "{change:?}"
        );
    }
}

#[test]
fn a_source_that_sends_more_of_the_same_is_no_change() {
    let mut buckets = days(1, |_, _| (USUAL, FAIR));
    for group in
        buckets.iter_mut().skip(40).flat_map(|bucket| &mut bucket.groups).filter(|group| group.source == 3)
    {
        group.counts.iter_mut().for_each(|count| *count *= 6);
    }
    assert_eq!(told(&buckets).kind, ChangeKind::None);
}

#[test]
fn the_same_days_of_other_weeks_explain_a_season() {
    // Weekends are different, and the current days are weekends only.
    let weekend = |day: usize| if day < 30 { day % 7 >= 5 } else { !day.is_multiple_of(3) };
    for seed in 0..6 {
        let mut buckets = days(seed, |day, _| (if weekend(day) { MOVED } else { USUAL }, FAIR));
        let unaware = told(&buckets);
        assert!(!matches!(unaware.kind, ChangeKind::None | ChangeKind::Seasonal), "{unaware:?}");
        for (day, bucket) in buckets.iter_mut().enumerate() {
            bucket.phase = u16::from(weekend(day)) + 1;
        }
        let aware = told(&buckets);
        assert_eq!(aware.kind, ChangeKind::Seasonal, "{aware:?}");
    }
}

#[test]
fn new_spellings_from_everywhere_are_a_change_of_the_schema() {
    let mut buckets = days(3, |_, _| (USUAL, FAIR));
    for group in buckets.iter_mut().skip(40).flat_map(|bucket| &mut bucket.groups) {
        // Every value is spelt another way now.
        let mut renamed = vec![0; 5];
        renamed.append(&mut group.counts);
        group.counts = renamed;
    }
    let change = told(&buckets);
    assert_eq!(change.kind, ChangeKind::Schema, "{change:?}");
    let known =
        explain(&days(4, |_, _| (USUAL, FAIR)), 30, &[SchemaChange::Redefined], &ChangeOptions::default());
    assert_eq!(known.kind, ChangeKind::Schema);
}

#[test]
fn too_little_is_not_judged() {
    let buckets = days(5, |_, _| (USUAL, FAIR));
    let judged =
        |buckets: &[Bucket], reference| explain(buckets, reference, &[], &ChangeOptions::default()).kind;
    let undefined = |undefined| ChangeKind::NotJudged(NotJudged::Undefined(undefined));
    assert_eq!(judged(&buckets, 60), undefined(Undefined::NoCurrent));
    assert_eq!(judged(&buckets, 61), undefined(Undefined::NoCurrent));
    assert_eq!(judged(&buckets, 0), undefined(Undefined::NoReference));
    assert_eq!(judged(&buckets[..3], 2), ChangeKind::NotJudged(NotJudged::TooFew));
    assert_eq!(judged(&[], 0), undefined(Undefined::NoCurrent));
}
