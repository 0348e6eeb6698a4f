//! Frequent values: exact while they fit, and bounds that hold when they do not.

use std::collections::BTreeMap;

use bartizan_data::sketch::{HeavyHitters, NotMergeable};
use proptest::prelude::*;

use super::Numbers;

fn of<'a>(values: impl IntoIterator<Item = &'a [u8]>, capacity: usize) -> HeavyHitters {
    let mut sketch = HeavyHitters::new(capacity, HeavyHitters::LEAST_BYTES).unwrap();
    sketch.update(values);
    sketch
}

fn counts<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> BTreeMap<&'a [u8], u64> {
    let mut counts = BTreeMap::new();
    values.into_iter().for_each(|value| *counts.entry(value).or_default() += 1);
    counts
}

fn bounds_hold(sketch: &HeavyHitters, counts: &BTreeMap<&[u8], u64>) {
    for (value, count) in counts {
        let (lower, upper) = sketch.bounds(value);
        assert!((lower..=upper).contains(count), "{count} of {value:?}: {lower}..={upper}");
    }
    let known = sketch.items();
    for item in &known {
        assert!((item.lower..=item.upper).contains(&counts[item.value]));
    }
    for (value, count) in counts {
        assert!(
            *count <= sketch.error()
                || value.len() > HeavyHitters::LONGEST
                || known.iter().any(|item| item.value == *value)
        );
    }
}

/// Zipf's law: value v about as often as 1 / v.
fn zipf(n: usize, values: u64, seed: u64) -> Vec<Vec<u8>> {
    let mut numbers = Numbers(seed);
    let log = (values as f64).ln();
    (0..n).map(|_| format!("value {}", (numbers.share() * log).exp().floor()).into_bytes()).collect()
}

#[test]
fn what_fits_is_exact() {
    let values = zipf(20_000, 90, 1);
    let slices = || values.iter().map(Vec::as_slice);
    let sketch = of(slices(), 100);
    let counts = counts(slices());
    assert_eq!((sketch.error(), sketch.count(), sketch.distinct()), (0, 20_000, Some(counts.len())));
    assert!(sketch.items().iter().all(|item| item.lower == item.upper && counts[item.value] == item.lower));
    assert!(sketch.items().is_sorted_by_key(|item| std::cmp::Reverse(item.lower)));
}

#[test]
fn what_does_not_fit_keeps_its_bounds() {
    for (capacity, distinct) in [(10, 100), (100, 100_000), (64, 3_000_000)] {
        let values = zipf(60_000, distinct, 2);
        let slices = || values.iter().map(Vec::as_slice);
        let counts = counts(slices());
        let sketch = of(slices(), capacity);
        assert!(sketch.error() > 0 && sketch.error() <= 60_000 / (capacity as u64 / 2 + 1));
        bounds_hold(&sketch, &counts);
        let mut merged = of([], capacity);
        for part in values.chunks(7_000) {
            merged.merge(&of(part.iter().map(Vec::as_slice), capacity)).unwrap();
        }
        assert!(merged.error() <= 60_000 / (capacity as u64 / 2 + 1), "{}", merged.error());
        bounds_hold(&merged, &counts);
    }
}

#[test]
fn long_values_are_bounded_in_bytes() {
    let mut numbers = Numbers(3);
    let values: Vec<Vec<u8>> = (0..5000)
        .map(|_| {
            let id = numbers.below(40).min(numbers.below(40));
            format!("{id:04}").into_bytes().repeat(1 + usize::try_from(numbers.below(300)).unwrap())
        })
        .collect();
    let slices = || values.iter().map(Vec::as_slice);
    let sketch = of(slices(), 1000);
    assert!(sketch.long() > 0 && sketch.error() > 0 && sketch.distinct().is_none());
    assert!(sketch.items().iter().map(|item| item.value.len()).sum::<usize>() <= HeavyHitters::LEAST_BYTES);
    bounds_hold(&sketch, &counts(slices()));
    assert_eq!(sketch.bounds(&[0; 2000]), (0, sketch.long()));
}

#[test]
fn words_are_their_bytes() {
    let words: Vec<u64> = (0..5000).map(|at| at % 71).collect();
    let mut one = of([], 100);
    one.update_words(&words);
    let bytes: Vec<[u8; 8]> = words.iter().map(|word| word.to_le_bytes()).collect();
    assert_eq!(one, of(bytes.iter().map(<[u8; 8]>::as_slice), 100));
}

#[test]
fn sketches_of_other_parameters_do_not_merge() {
    assert_eq!(of([], 10).merge(&of([], 11)), Err(NotMergeable::Parameters { what: "capacity" }));
    assert!(HeavyHitters::new(1, 10_000).is_err() && HeavyHitters::new(10, 10).is_err());
}

proptest! {
    #[test]
    fn parts_make_the_whole(
        parts in prop::collection::vec(prop::collection::vec(prop::collection::vec(97..103_u8, 0..3), 0..60), 3),
    ) {
        let [a, b, c] = [0, 1, 2].map(|part: usize| of(parts[part].iter().map(Vec::as_slice), 64));
        let joined = |one: &HeavyHitters, two: &HeavyHitters| {
            let mut one = one.clone();
            one.merge(two).unwrap();
            one
        };
        let whole = of(parts.iter().flatten().map(Vec::as_slice), 64);
        prop_assert_eq!(&joined(&joined(&a, &b), &c), &whole);
        prop_assert_eq!(&joined(&a, &joined(&c, &b)), &whole);
        prop_assert_eq!(joined(&joined(&b, &a), &c).to_bytes(), whole.to_bytes());
        prop_assert_eq!(HeavyHitters::from_bytes(&whole.to_bytes()), Ok(whole));
    }

    #[test]
    fn bounds_hold_in_any_order_of_parts(
        parts in prop::collection::vec(prop::collection::vec(prop::collection::vec(97..105_u8, 0..4), 0..200), 3),
    ) {
        let sketches: Vec<HeavyHitters> = parts.iter().map(|part| of(part.iter().map(Vec::as_slice), 8)).collect();
        let counts = counts(parts.iter().flatten().map(Vec::as_slice));
        for [one, two, three] in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let mut merged = sketches[one].clone();
            let mut swapped = sketches[two].clone();
            merged.merge(&sketches[two]).unwrap();
            swapped.merge(&sketches[one]).unwrap();
            prop_assert_eq!(&merged, &swapped);
            merged.merge(&sketches[three]).unwrap();
            bounds_hold(&merged, &counts);
            prop_assert!(merged.error() <= merged.count() / 5);
            prop_assert_eq!(HeavyHitters::from_bytes(&merged.to_bytes()), Ok(merged));
        }
    }
}
