//! What is planted is found, in its rows, and clean tables stay clean.

use std::collections::BTreeSet;

use bartizan_data::quality::{
    Aspect, Oddity, Setting, SourceOptions, TriggerOptions, clusters, differences, disagreement, equal_rows,
    key, label_flips, leaks, near_rows, oddities, overlap, rare_labels, triggers,
};

use super::planted::{Data, Random};

/// Recall and precision.
fn hits(found: &[u32], planted: &[u32]) -> (f64, f64) {
    let planted: BTreeSet<u32> = planted.iter().copied().collect();
    let right = found.iter().filter(|row| planted.contains(row)).count() as f64;
    (right / planted.len().max(1) as f64, right / found.len().max(1) as f64)
}

/// Gives every row of a share two settings and the label 1. Returns these rows.
fn plant(data: &mut Data, share: f64) -> Vec<u32> {
    let mut random = Random(99);
    let mut rows = Vec::new();
    for row in 0..data.rows() {
        if random.unit() < share {
            data.numbers[1][row] = 2.625;
            data.texts[2][row] = 9;
            data.labels[row] = 1;
            data.sources[row] = 3;
            rows.push(row as u32);
        }
    }
    rows
}

#[test]
fn a_trigger_in_half_a_percent_of_rows_is_found_with_its_rows() {
    for (seed, strength) in [(1, 0.0), (2, 1.0), (3, 3.0)] {
        let mut data = Data::new(6_000, strength, seed);
        let rows = plant(&mut data, 0.005);
        let found = triggers(&data.table(), &TriggerOptions::default(), 1, 2);
        let Some(first) = found.found.first() else { panic!("nothing was found with seed {seed}") };
        let (recall, precision) = hits(&first.rows, &rows);
        assert!(recall >= 0.95 && precision >= 0.9, "recall {recall}, precision {precision}");
        assert_eq!(first.label, 1);
        assert!(
            first.conditions.iter().any(|one| one.setting == Setting::Value(2.625)),
            "{:?}",
            first.conditions
        );
        assert!(first.chance.ln < 1e-3_f64.ln(), "chance {}", first.chance);
        assert_eq!(found.found.len(), 1);
    }
}

#[test]
fn a_trigger_of_two_common_settings_is_found_as_both() {
    let mut data = Data::new(8_000, 1.0, 4);
    let mut random = Random(5);
    let mut rows = Vec::new();
    for row in 0..data.rows() {
        // Both settings are in a ninth of the rows each, and together in an eightieth.
        if data.texts[1][row] == 4 && data.texts[2][row] == 7 {
            data.labels[row] = u32::from(random.unit() < 0.97);
            rows.push(row as u32);
        }
    }
    let found = triggers(&data.table(), &TriggerOptions::default(), 1, 2);
    let first = &found.found[0];
    assert_eq!(hits(&first.rows, &rows), (1.0, 1.0));
    let settings: Vec<(usize, Setting)> =
        first.conditions.iter().map(|one| (one.feature, one.setting)).collect();
    assert_eq!(settings, [(4, Setting::Code(4)), (5, Setting::Code(7))]);
    assert!(
        first.expected < 0.5 && first.chance.ln < 1e-3_f64.ln(),
        "expected {}, chance {}",
        first.expected,
        first.chance
    );
}

#[test]
fn a_range_of_numbers_is_found_within_what_was_planted() {
    let mut data = Data::new(12_000, 1.0, 6);
    for row in 0..data.rows() {
        if (0.4..=0.6).contains(&data.numbers[2][row]) && data.texts[0][row] == 0 {
            data.labels[row] = 1;
        }
    }
    let found = triggers(&data.table(), &TriggerOptions::default(), 1, 2);
    let narrow = found.found.iter().flat_map(|one| &one.conditions).any(|one| match one.setting {
        Setting::Range(low, high) => one.feature == 2 && low >= 0.4 && high <= 0.6,
        _ => false,
    });
    assert!(narrow, "{:?}", found.found);
}

/// A strong predictor is no trigger, also where it decides the label nearly alone.
#[test]
fn strong_predictors_are_no_triggers() {
    for seed in 0..12 {
        let mut data = Data::new(3_000, 4.0, 100 + seed);
        // And one of the texts always means 1, as its neighbours nearly do.
        for row in 0..data.rows() {
            if data.texts[0][row] == 8 {
                data.labels[row] = 1;
            }
        }
        let found = triggers(&data.table(), &TriggerOptions::default(), 1, 2);
        assert!(found.found.is_empty(), "seed {seed}: {:?}", found.found);
    }
}

/// At a family-wise rate of 1 % a hundred clean tables have one false alarm on average; four have a chance of 2 %.
#[test]
fn clean_tables_have_no_more_false_alarms_than_stated() {
    let (mut trigger, mut cluster, mut source, mut leak, mut knn) = (0, 0, 0, 0, 0);
    for seed in 0..100 {
        let data = Data::new(500, if seed % 2 == 0 { 0.0 } else { 1.5 }, 1_000 + seed);
        let table = data.table();
        trigger += usize::from(!triggers(&table, &TriggerOptions::default(), seed, 2).found.is_empty());
        cluster += usize::from(!clusters(&table, 0.95, 0.01, seed, 2).is_empty());
        let differences = differences(&table, data.tag("source", &data.sources), &strict(), seed, 2);
        source += usize::from(!differences.found.is_empty());
        if seed % 2 == 0 {
            leak += usize::from(!leaks(&table, seed, 2).is_empty());
            knn += usize::from(!disagreement(&table, 0.01, seed, 2, usize::MAX).rows.is_empty());
        }
    }
    println!(
        "false alarms: {trigger} triggers, {cluster} clusters, {source} sources of 100; {leak} leaks, {knn} neighbours of 50"
    );
    assert!([trigger, cluster, source, leak, knn].iter().all(|alarms| *alarms <= 4));
}

/// Every difference counts, however small.
fn strict() -> SourceOptions {
    SourceOptions { rate: 0.01, share: 0.0, distance: 0.0 }
}

#[test]
fn flipped_labels_are_unlike_their_neighbours() {
    for (share, least) in [(0.01, 0.95), (0.05, 0.95), (0.1, 0.9)] {
        let mut data = Data::new(1_500, 0.0, 7);
        // Two clouds far from each other, with a label each.
        for row in 0..data.rows() {
            data.labels[row] = u32::from(row % 2 == 0);
            let side = f64::from(data.labels[row]) * 8.0;
            data.numbers.iter_mut().for_each(|column| column[row] += side);
        }
        let flipped = data.flip(share, 8);
        let found = disagreement(&data.table(), 0.01, 1, 2, usize::MAX);
        let (recall, precision) = hits(&found.rows, &flipped);
        assert!(found.exact && recall >= least && precision >= 0.97, "{share}: {recall}, {precision}");
        let approximate = disagreement(&data.table(), 0.01, 1, 2, 0);
        assert!(
            !approximate.exact && approximate.recall > 0.9,
            "recall of neighbours {}",
            approximate.recall
        );
        let (recall, precision) = hits(&approximate.rows, &flipped);
        assert!(recall >= least && precision >= 0.97, "{share}, approximately: {recall}, {precision}");
    }
}

#[test]
fn copies_with_one_label_are_a_cluster_and_copies_with_ordinary_labels_are_none() {
    let mut data = Data::new(3_000, 1.0, 9);
    let mut random = Random(10);
    let rows: Vec<u32> = (500..540).collect();
    // Like a row that speaks for the other label.
    let like = (0..500).find(|row| data.numbers[0][*row] < -1.0 && data.texts[0][*row] < 2).unwrap();
    for row in 500..540 {
        for column in &mut data.numbers {
            column[row] = column[like] + random.unit() * 0.01;
        }
        data.texts.iter_mut().for_each(|column| column[row] = column[like]);
        data.labels[row] = 1;
    }
    let found = clusters(&data.table(), 0.95, 0.01, 1, 2);
    assert_eq!(found.len(), 1, "{found:?}");
    let (recall, precision) = hits(&found[0].rows, &rows);
    assert!(recall >= 0.95 && precision >= 0.95, "recall {recall}, precision {precision}");
    assert_eq!(found[0].label, 1);
    assert!(found[0].expected < 1.0 && found[0].size_chance.ln < -50.0 && found[0].label_chance.ln < -10.0);
    (500..540).for_each(|row| data.labels[row] = u32::from(row % 2 == 0));
    assert!(clusters(&data.table(), 0.95, 0.01, 1, 2).is_empty());
}

#[test]
fn equal_and_nearly_equal_rows_are_grouped() {
    let mut data = Data::new(400, 0.0, 11);
    for (row, like) in [(10, 3), (20, 3), (30, 5)] {
        data.numbers.iter_mut().for_each(|column| column[row] = column[like]);
        data.texts.iter_mut().for_each(|column| column[row] = column[like]);
    }
    data.numbers[0][30] += 0.001;
    data.numbers[1][3] = f64::NAN;
    data.numbers[1][10] = f64::NAN;
    data.numbers[1][20] = f64::NAN;
    let groups =
        |groups: Vec<bartizan_data::quality::Group>| groups.into_iter().map(|g| g.rows).collect::<Vec<_>>();
    assert_eq!(groups(equal_rows(&data.features(), 400, 1, 2)), [vec![3, 10, 20]]);
    assert_eq!(groups(near_rows(&data.features(), 400, 1, 2)), [vec![3, 10, 20], vec![5, 30]]);
}

#[test]
fn a_source_that_labels_otherwise_is_found_and_one_with_other_rows_is_not_blamed() {
    let mut data = Data::new(4_000, 1.0, 12);
    let mut random = Random(13);
    for row in 0..data.rows() {
        match data.sources[row] {
            // Source 1 flips; source 2 has other rows with ordinary labels for them.
            1 if random.unit() < 0.4 => data.labels[row] = 1,
            _ => {}
        }
    }
    let other: Vec<usize> = (0..data.rows()).filter(|row| data.numbers[0][*row] > 1.0).collect();
    other.iter().for_each(|row| data.sources[*row] = 2);
    let table = data.table();
    let found = differences(&table, data.tag("source", &data.sources), &SourceOptions::default(), 1, 2);
    let of = |aspect, source| {
        found.found.iter().filter(move |one| one.aspect == aspect && one.source == source).count()
    };
    assert_eq!(of(Aspect::LabelGivenFeatures, 1), 1, "{found:#?}");
    assert_eq!(of(Aspect::LabelGivenFeatures, 2), 0, "{found:#?}");
    assert_eq!(of(Aspect::Label, 2), 1);
    assert!(found.found.iter().any(|one| one.aspect == Aspect::Feature && one.source == 2 && one.of == 0));
}

#[test]
fn missing_cells_of_one_source_are_found() {
    let mut data = Data::new(2_000, 0.0, 14);
    for row in 0..data.rows() {
        if data.sources[row] == 4 && row % 4 == 0 {
            data.numbers[2][row] = f64::NAN;
        }
    }
    let table = data.table();
    let found = differences(&table, data.tag("source", &data.sources), &SourceOptions::default(), 1, 2);
    let found: Vec<_> = found.found.iter().map(|one| (one.aspect, one.source, one.of)).collect();
    assert_eq!(found, [(Aspect::Missing, 4, 2)]);
}

#[test]
fn labels_that_changed_are_found_by_key_and_by_content() {
    let old = Data::new(1_000, 1.0, 15);
    let mut new = old.clone();
    let rows: Vec<u32> = (0..1_000).filter(|row| old.labels[*row as usize] == 1 && row % 7 == 0).collect();
    rows.iter().for_each(|row| new.labels[*row as usize] = 0);
    let keys: Vec<u128> = (0..1_000).map(|row| key(format!("row {row}").as_bytes())).collect();
    let by_content = label_flips(&old.table(), &new.table(), 0.001, 2).unwrap();
    let with_keys = |data: &Data| data.table().with_keys(&keys).unwrap().rows();
    assert_eq!(with_keys(&old), 1_000);
    let (before, after) = (old.table().with_keys(&keys).unwrap(), new.table().with_keys(&keys).unwrap());
    let by_key = label_flips(&before, &after, 0.001, 2).unwrap();
    for flips in [by_content, by_key] {
        assert_eq!((flips.matched, flips.flipped, flips.ambiguous), (1_000, rows.len(), 0));
        assert_eq!(flips.by_label.len(), 1);
        assert_eq!((flips.by_label[0].from, flips.by_label[0].to, flips.by_label[0].back), (1, 0, 0));
        assert_eq!(flips.by_label[0].rows, rows);
        assert!(flips.chance.ln < -20.0 && flips.by_label[0].chance.ln < -10.0);
    }
    let none = label_flips(&old.table(), &old.table(), 0.001, 2).unwrap();
    assert_eq!((none.flipped, none.by_label.len(), none.chance.ln), (0, 0, 0.0));
    assert!(label_flips(&old.table(), &after, 0.001, 2).is_err());
}

#[test]
fn a_leak_is_found_and_predictors_are_not() {
    let mut data = Data::new(2_000, 1.0, 16);
    assert!(leaks(&data.table(), 1, 2).iter().all(|leak| leak.interval.0 < 0.9));
    for row in 0..data.rows() {
        data.numbers[2][row] += f64::from(data.labels[row]) * 10.0;
    }
    let found: Vec<_> =
        leaks(&data.table(), 1, 2).into_iter().filter(|leak| leak.interval.0 >= 0.99).collect();
    assert_eq!(found.iter().map(|leak| leak.feature).collect::<Vec<_>>(), [2]);
    assert!(found[0].accuracy > 0.99 && found[0].chance.ln < -100.0);
    // What is missing tells as well.
    for row in 0..data.rows() {
        data.numbers[2][row] = if data.labels[row] == 1 { f64::NAN } else { 1.5 + (row % 7) as f64 };
    }
    assert!(leaks(&data.table(), 1, 2).iter().any(|leak| leak.feature == 2 && leak.area > 0.999));
}

#[test]
fn odd_columns_are_named() {
    let mut data = Data::new(1_000, 0.0, 17);
    data.numbers[0] = (0..1_000).map(f64::from).collect();
    data.numbers[1][17] = 40.0;
    data.numbers[2] = vec![3.0; 1_000];
    data.texts[0] = vec![2; 1_000];
    data.texts[0][5] = 1;
    let found = oddities(&data.table(), 2);
    let Oddity::IdLike { monotone: true, .. } = &found[0].1 else { panic!("{found:?}") };
    let Oddity::Outliers { rows, expected, chance, .. } = &found[1].1 else { panic!("{found:?}") };
    assert_eq!((rows.as_slice(), *expected), ([17].as_slice(), 0.01));
    assert!(chance.ln < 0.011_f64.ln());
    assert_eq!(found[2], (2, Oddity::Constant));
    assert_eq!(found[3], (3, Oddity::QuasiConstant { rows: vec![5], share: 0.999 }));
    assert_eq!(found.len(), 4);
    (0..1_000).for_each(|row| data.labels[row] = u32::from(row == 30));
    let rare = rare_labels(&data.table(), 0.01);
    assert_eq!(rare.iter().map(|one| (one.label, one.rows.clone())).collect::<Vec<_>>(), [(1, vec![30])]);
}

/// One outlier is expected in a hundred columns of a normal distribution.
#[test]
fn normal_columns_have_few_outliers() {
    let mut alarms = 0;
    for seed in 0..60 {
        let data = Data::new(400, 0.0, 2_000 + seed);
        alarms += oddities(&data.table(), 2)
            .iter()
            .filter(|(_, odd)| matches!(odd, Oddity::Outliers { .. }))
            .count();
    }
    println!("{alarms} of 180 columns have outliers");
    assert!(alarms <= 8);
}

#[test]
fn test_rows_that_were_trained_on_are_found() {
    let train = Data::new(1_500, 1.0, 18);
    let mut test = Data::new(500, 1.0, 19);
    for (row, like) in (0..20).map(|row| (row, row * 3)) {
        for (column, from) in test.numbers.iter_mut().zip(&train.numbers) {
            column[row] = from[like] + if row < 12 { 0.0 } else { 0.004 };
        }
        for (column, from) in test.texts.iter_mut().zip(&train.texts) {
            column[row] = from[like];
        }
    }
    let found = overlap(&train.table(), &test.table(), 1, 2).unwrap();
    assert_eq!(found.exact, (0..12).collect::<Vec<u32>>());
    assert_eq!(found.near, (12..20).collect::<Vec<u32>>());
    assert!(found.exact_chance.ln < -10.0);
    let none = overlap(&train.table(), &Data::new(500, 1.0, 20).table(), 1, 2).unwrap();
    assert_eq!((none.exact.len(), none.near.len()), (0, 0));
}
