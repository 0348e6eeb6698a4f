//! Values as CSV writes them: the one spelling that all formats share.

use std::io::Write;

/// `-12`
pub(crate) fn integer(out: &mut Vec<u8>, value: i64) {
    // Writing to memory does not fail.
    write!(out, "{value}").ok();
}

/// The shortest decimal text that reads back as the same double; whole numbers as integers are written, so that 5.0
/// and 5 are one value. Very large and very small ones take an exponent.
pub(crate) fn float(out: &mut Vec<u8>, value: f64) {
    let magnitude = value.abs();
    let plain = value == 0.0 || (1e-5..1e16).contains(&magnitude) || !value.is_finite();
    let written = if plain { write!(out, "{value}") } else { write!(out, "{value:e}") };
    written.ok();
}

/// `2024-02-29`; years beyond four digits as they are.
pub(crate) fn day(out: &mut Vec<u8>, days: i64) {
    let (year, month, day) = civil(days);
    write!(out, "{year:04}-{month:02}-{day:02}").ok();
}

/// `2024-02-29 12:30:00`, with as much of a fraction as there is and `Z` for points in time.
pub(crate) fn instant(out: &mut Vec<u8>, value: i64, per_second: i64, zoned: bool) {
    let (seconds, rest) = (value.div_euclid(per_second), value.rem_euclid(per_second));
    day(out, seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    write!(out, " {:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60).ok();
    if rest != 0 {
        let nanos = rest * (1_000_000_000 / per_second);
        let digits = format!("{nanos:09}");
        write!(out, ".{}", digits.trim_end_matches('0')).ok();
    }
    if zoned {
        out.push(b'Z');
    }
}

/// An instant given in nanoseconds, without a zone.
pub(crate) fn nanos(out: &mut Vec<u8>, nanos: i128) {
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(i64::MAX);
    instant(out, seconds, 1, false);
    let rest = nanos.rem_euclid(1_000_000_000);
    if rest != 0 {
        let digits = format!("{rest:09}");
        write!(out, ".{}", digits.trim_end_matches('0')).ok();
    }
}

/// The digits with a point before the last `scale` of them.
pub(crate) fn decimal(out: &mut Vec<u8>, value: i128, scale: i8) {
    let Ok(scale @ 1..) = usize::try_from(scale) else {
        write!(out, "{value}").ok();
        let zeros = usize::from(scale.unsigned_abs());
        out.extend(std::iter::repeat_n(b'0', if value == 0 { 0 } else { zeros }));
        return;
    };
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at_checked(digits.len() - scale).unwrap_or((&digits, ""));
    write!(out, "{}{whole}.{fraction}", if value < 0 { "-" } else { "" }).ok();
}

/// The nearest double to a decimal.
pub(crate) fn decimal_to_f64(value: i128, scale: i8) -> f64 {
    // Both are exact in a double, so their quotient is correctly rounded.
    if value.unsigned_abs() <= 1 << 53
        && let Some(power) = usize::try_from(scale).ok().and_then(|scale| POWERS_OF_TEN.get(scale))
    {
        return value as f64 / power + 0.0;
    }
    let mut text = Vec::new();
    decimal(&mut text, value, scale);
    str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

const POWERS_OF_TEN: [f64; 19] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// The day `days` after 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that begin on
/// the first of March, so that leap days are last (E. G. Richards, "Mapping Time", 1998, chapter 25).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to a day that exists; the inverse of [`civil`].
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
