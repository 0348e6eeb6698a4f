//! Answers questions about drift, one a line on standard input.
//!
//! `value STATISTIC|REFERENCE|CURRENT`, or `test` in place of `value` for value, p and threshold. The sides are numbers for
//! ordered statistics and counts for the others.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a tool that meets the unexpected stops")]

use std::io::BufRead;

use bartizan_data::drift::{
    Column, Comparison, Numbers, Options, Plan, Side, Statistic, chi_squared, hellinger,
    jensen_shannon_distance, jensen_shannon_divergence, judge, kolmogorov_smirnov, l_infinity, psi,
    wasserstein,
};

fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let (question, sides) = line.split_once('|').unwrap();
        let (reference, current) = sides.split_once('|').unwrap();
        let answer = match question.split_once(' ').unwrap() {
            ("value", statistic) => value(statistic, reference, current),
            (_, statistic) => test(statistic.parse().unwrap(), reference, current),
        };
        println!("{answer}");
    }
}

fn numbers<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> Vec<T> {
    text.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

fn value(statistic: &str, reference: &str, current: &str) -> String {
    let value = if matches!(statistic, "ks" | "wasserstein") {
        let [one, two] = [reference, current].map(|side| Numbers::new(&numbers(side)));
        if statistic == "ks" { kolmogorov_smirnov(&one, &two) } else { wasserstein(&one, &two) }
    } else {
        let [one, two] = [reference, current].map(numbers::<u64>);
        match statistic {
            "psi" => psi(&one, &two),
            "jensen-shannon" => jensen_shannon_distance(&one, &two),
            "jensen-shannon-divergence" => jensen_shannon_divergence(&one, &two),
            "hellinger" => hellinger(&one, &two),
            "l-infinity" => l_infinity(&one, &two),
            _ => chi_squared(&one, &two),
        }
    };
    value.map_or_else(|undefined| format!("undefined: {undefined}"), |value| format!("{value:?}"))
}

fn test(statistic: Statistic, reference: &str, current: &str) -> String {
    let options =
        Options { plan: Plan { stop_after: 20_000, max_draws: 19_999, seed: 1 }, ..Options::default() };
    let judged = |reference: Side<'_>, current: Side<'_>| {
        let column = Column { statistic: Some(statistic), ..Column::new("column", reference, current) };
        let lines = judge(&column, &Comparison::default(), &options);
        let line = lines.first().unwrap();
        format!("{:?} {:?} {:?}", line.value.unwrap().value, line.p.unwrap().0, line.threshold.unwrap())
    };
    if statistic.is_ordered() {
        judged(Side::Numbers(&numbers(reference)), Side::Numbers(&numbers(current)))
    } else {
        judged(Side::CategoryCounts(&numbers(reference), 0), Side::CategoryCounts(&numbers(current), 0))
    }
}
