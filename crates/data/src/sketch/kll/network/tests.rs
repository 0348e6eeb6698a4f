//! The sorting networks, by the principle of noughts and ones (Knuth, volume 3, section 5.3.4).

use super::{RUN, RUNS, Runs, merge, sort, thinned};

/// Whether both runs are sorted: one of these noughts and ones, and one that has them the other way round.
fn sorts(network: fn(&mut Runs), bits: u32) -> bool {
    let mut runs = [[0.0; 2]; RUN];
    for (at, pair) in runs.iter_mut().enumerate() {
        *pair = [f64::from(bits >> at & 1), f64::from(!bits >> at & 1)];
    }
    network(&mut runs);
    let ones = runs.iter().filter(|pair| pair[0] == 1.0).count();
    (0..2).all(|run| runs.is_sorted_by_key(|pair| pair[run])) && ones == bits.count_ones() as usize
}

#[test]
fn every_run_of_noughts_and_ones_is_sorted() {
    assert!((0..1 << RUN).all(|bits| sorts(sort, bits)));
}

#[test]
fn what_goes_up_and_then_down_is_merged() {
    for first in 0..=RUN / 2 {
        for second in 0..=RUN / 2 {
            // `first` ones at the end of the first half, `second` at the beginning of the second; the other way round
            // it goes down and then up, which a bitonic merge sorts too.
            let bits = ((1_u32 << (first + second)) - 1) << (RUN / 2 - first);
            assert!(sorts(merge, bits), "{first} {second}");
        }
    }
}

#[test]
fn a_block_is_thinned_to_its_share() {
    let mut block = [0.0; 2 * RUN * RUNS];
    block.iter_mut().zip(0_u32..).for_each(|(value, at)| *value = f64::from(at * 37 % 512));
    for rung in 0..=5 {
        let (keys, squares) = thinned(&block, rung, 0x5555_3333_0F0F_1234);
        assert_eq!(keys.len(), block.len() >> rung);
        assert!(keys.is_sorted());
        // 16 coins of 1, 8 of 4, 4 of 16 and so on.
        assert_eq!(squares, 16 * ((1 << rung) - 1));
    }
}
