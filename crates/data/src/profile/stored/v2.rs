//! Version 2: a canonical document of all that is exact, and after it the sketches, byte for byte.

use bartizan_base::canonical;
use serde::{Deserialize, Serialize};

use super::super::column::ColumnProfile;
use super::super::distinct::{Distinct, Sketched};
use super::super::ranges::{Decimals, InstantRange, Ranges, Sizes};
use super::super::texts::{LENGTH_CLASSES, Texts};
use super::super::values::{Values, kind_of};
use super::{
    Profile, ProfileInvalid, loaded_extremes, loaded_kinds, loaded_name, loaded_pair, loaded_table,
    loaded_texts, to_hex,
};
use crate::cell::{self, Value};
use crate::sketch::{EdgeHistogram, HeavyHitters, Hll, Kll, Moments, SketchInvalid};

/// How the stored form begins. The length of the document follows, four bytes, low byte first.
pub(super) const MAGIC: &[u8] = b"bartizan-profile-v2\n";

/// Sketches of a column, in their order: moments, quantiles, histogram, shapes, distinct values, and the frequent
/// integers, floats, days, instants and texts.
const SKETCHES: usize = 10;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredProfile {
    null: Vec<String>,
    rows: u64,
    columns: Vec<StoredColumn>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredColumn {
    name: String,
    thin: bool,
    nulls: u64,
    kinds: [u64; 8],
    integers: Option<[String; 2]>,
    lowest: String,
    highest: String,
    lengths: Option<[u64; 2]>,
    characters: u64,
    /// Without the noughts at the end.
    classes: Vec<u64>,
    written: Option<[u64; 2]>,
    trues: u64,
    days: Option<[i32; 2]>,
    instants: Option<StoredInstants>,
    decimals: Option<StoredDecimals>,
    decimals_lost: bool,
    bytes: Option<[u64; 3]>,
    lists: Option<[u64; 3]>,
    /// `exact`, `sketched` or `unknown`.
    distinct: String,
    /// Kind, text and count, by ascending bytes; empty unless `exact`.
    values: Vec<(String, String, u64)>,
    /// Bytes of each sketch; 0 where there is none.
    sketches: [u64; SKETCHES],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredInstants {
    range: [String; 2],
    resolution: u64,
    zoned: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredDecimals {
    range: [String; 2],
    scale: i8,
}

pub(super) fn to_bytes(profile: &Profile) -> Result<Vec<u8>, canonical::EncodeError> {
    let mut sketches = Vec::new();
    let document = canonical::to_bytes(&StoredProfile {
        null: profile.null.tokens().to_vec(),
        rows: profile.rows,
        columns: profile.columns.iter().map(|column| stored_column(column, &mut sketches)).collect(),
    })?;
    let length = u32::try_from(document.len()).unwrap_or(u32::MAX);
    Ok([MAGIC, &length.to_le_bytes(), &document, &sketches].concat())
}

pub(super) fn from_bytes(rest: &[u8]) -> Result<Profile, ProfileInvalid> {
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(ProfileInvalid::Length)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (document, mut sketches) = rest.split_at_checked(length).ok_or(ProfileInvalid::Length)?;
    let stored: StoredProfile = canonical::from_bytes(document).map_err(ProfileInvalid::Document)?;
    let names = stored.columns.iter().map(|column| column.name.as_str());
    let null = loaded_table(&stored.null, stored.rows, names)?;
    let width = stored.columns.len();
    let mut columns = Vec::with_capacity(width);
    for (column, one) in (1..).zip(&stored.columns) {
        let mut parts = [&[][..]; SKETCHES];
        for (part, length) in parts.iter_mut().zip(one.sketches) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            (*part, sketches) = sketches.split_at_checked(length).ok_or(ProfileInvalid::Length)?;
        }
        columns.push(loaded_column(one, stored.rows, width, parts).map_err(|why| match why {
            Why::Wrong(what) => ProfileInvalid::Column { column, what },
            Why::Sketch(source) => ProfileInvalid::Sketch { column, source },
        })?);
    }
    if sketches.is_empty() {
        Ok(Profile { null, rows: stored.rows, columns })
    } else {
        Err(ProfileInvalid::Length)
    }
}

fn stored_column(column: &ColumnProfile, sketches: &mut Vec<u8>) -> StoredColumn {
    let ColumnProfile { name, nulls, kinds, numbers, texts, written, ranges, values, thin } = column;
    let sketched = match values {
        Distinct::Sketched(sketched) => Some(sketched),
        Distinct::Exact(_) | Distinct::Unknown => None,
    };
    let frequent = |of: fn(&Sketched) -> &Option<HeavyHitters>| {
        sketched.and_then(|sketched| of(sketched).as_ref()).map(HeavyHitters::to_bytes)
    };
    let parts = [
        (!thin && numbers.moments != Moments::new()).then(|| numbers.moments.to_bytes()),
        numbers.quantiles.as_ref().map(|sketch| sketch.to_bytes()),
        numbers.histogram.as_ref().map(|sketch| sketch.to_bytes()),
        texts.shapes.as_ref().map(|sketch| sketch.to_bytes()),
        sketched.map(|sketched| sketched.hll.to_bytes()),
        frequent(|sketched| &sketched.integers),
        frequent(|sketched| &sketched.floats),
        frequent(|sketched| &sketched.days),
        frequent(|sketched| &sketched.instants),
        frequent(|sketched| &sketched.texts),
    ];
    let lengths = parts.each_ref().map(|part| part.as_ref().map_or(0, |part| part.len() as u64));
    parts.iter().flatten().for_each(|part| sketches.extend_from_slice(part));
    let classes = texts.classes.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
    let known = match values {
        Distinct::Exact(values) => values.stored(),
        Distinct::Sketched(_) | Distinct::Unknown => Vec::new(),
    };
    StoredColumn {
        name: name.clone(),
        thin: *thin,
        nulls: *nulls,
        kinds: kinds.counts(),
        integers: numbers.integers.map(|(least, greatest)| [least.to_string(), greatest.to_string()]),
        lowest: to_hex(&numbers.extremes.lowest()),
        highest: to_hex(&numbers.extremes.highest()),
        lengths: texts.lengths.map(|(shortest, longest)| [shortest, longest]),
        characters: texts.characters,
        classes: texts.classes.get(..classes).unwrap_or_default().to_vec(),
        written: written.map(|(shortest, longest)| [shortest, longest]),
        trues: ranges.trues,
        days: ranges.days.map(|(first, last)| [first, last]),
        instants: ranges.instants.map(|range| StoredInstants {
            range: [range.first.to_string(), range.last.to_string()],
            resolution: range.resolution,
            zoned: range.zoned,
        }),
        decimals: ranges.decimals.map(|range| StoredDecimals {
            range: [range.least.to_string(), range.greatest.to_string()],
            scale: range.scale,
        }),
        decimals_lost: ranges.decimals_lost,
        bytes: ranges.bytes.map(stored_sizes),
        lists: ranges.lists.map(stored_sizes),
        distinct: match values {
            Distinct::Exact(_) => "exact",
            Distinct::Sketched(_) => "sketched",
            Distinct::Unknown => "unknown",
        }
        .to_owned(),
        values: known
            .into_iter()
            .map(|(kind, text, count)| {
                (char::from(kind).to_string(), String::from_utf8_lossy(text).into_owned(), count)
            })
            .collect(),
        sketches: lengths,
    }
}

fn stored_sizes(sizes: Sizes) -> [u64; 3] {
    [sizes.least, sizes.greatest, sizes.total]
}

/// Why a column cannot be loaded.
enum Why {
    Wrong(&'static str),
    Sketch(SketchInvalid),
}

impl From<&'static str> for Why {
    fn from(what: &'static str) -> Self {
        Self::Wrong(what)
    }
}

fn sketch<T>(bytes: &[u8], read: fn(&[u8]) -> Result<T, SketchInvalid>) -> Result<Option<T>, Why> {
    if bytes.is_empty() { Ok(None) } else { read(bytes).map(Some).map_err(Why::Sketch) }
}

fn loaded_column(
    stored: &StoredColumn,
    rows: u64,
    width: usize,
    parts: [&[u8]; SKETCHES],
) -> Result<ColumnProfile, Why> {
    let [moments, quantiles, histogram, shapes, hll, integers, floats, days, instants, texts] = parts;
    let (kinds, filled) = loaded_kinds(stored.kinds)?;
    let places = filled.checked_add(stored.nulls).ok_or("more values than are counted")?;
    if places != rows && !stored.name.contains("[]") {
        return Err(Why::Wrong("kinds and nulls do not add up to the rows"));
    }
    let mut column = ColumnProfile::new(loaded_name(&stored.name)?, width, None);
    column.nulls = stored.nulls;
    column.kinds = kinds;
    column.thin = stored.thin;
    column.numbers.integers = loaded_texts::<i64>(stored.integers.as_ref(), "range of the integers")?;
    if column.numbers.integers.is_some() != (kinds.integer > 0) {
        return Err(Why::Wrong("integers without a range"));
    }
    let counted = [kinds.integer, kinds.float, kinds.list].iter().sum::<u64>();
    let moments = sketch(moments, Moments::from_bytes)?;
    let (positive, negative) = moments.as_ref().map_or((0, 0), Moments::infinities);
    let finite = counted
        .checked_sub(positive)
        .and_then(|rest| rest.checked_sub(negative))
        .ok_or("how many numbers")?;
    if !stored.thin && moments.as_ref().map_or(0, Moments::count) != finite {
        return Err(Why::Wrong("moments of other numbers"));
    }
    let expected = if stored.thin { kinds.integer.saturating_add(kinds.float) } else { finite };
    column.numbers.extremes = loaded_extremes(&stored.lowest, &stored.highest, expected)?;
    column.numbers.moments = moments.unwrap_or_default();
    column.numbers.quantiles = sketch(quantiles, Kll::from_bytes)?.map(Box::new);
    if column.numbers.quantiles.as_ref().is_some_and(|sketch| sketch.k() != Kll::DEFAULT_K) {
        return Err(Why::Wrong("quantiles of another precision"));
    }
    column.numbers.histogram = sketch(histogram, EdgeHistogram::from_bytes)?.map(Box::new);
    column.texts = loaded_texts_of(stored, sketch(shapes, HeavyHitters::from_bytes)?)?;
    column.written = loaded_pair(stored.written, "lengths")?;
    column.ranges = loaded_ranges(stored)?;
    column.values = match (stored.distinct.as_str(), sketch(hll, Hll::from_bytes)?) {
        ("exact", None) => loaded_values(stored, filled, width)?,
        ("unknown", None) => Distinct::Unknown,
        ("sketched", Some(hll)) => Distinct::Sketched(Box::new(Sketched {
            hll,
            integers: sketch(integers, HeavyHitters::from_bytes)?,
            floats: sketch(floats, HeavyHitters::from_bytes)?,
            days: sketch(days, HeavyHitters::from_bytes)?,
            instants: sketch(instants, HeavyHitters::from_bytes)?,
            texts: sketch(texts, HeavyHitters::from_bytes)?,
        })),
        _ => return Err(Why::Wrong("what is known of its values")),
    };
    Ok(column)
}

fn loaded_texts_of(stored: &StoredColumn, shapes: Option<HeavyHitters>) -> Result<Texts, Why> {
    let mut texts = Texts::new();
    texts.lengths = loaded_pair(stored.lengths, "lengths")?;
    texts.characters = stored.characters;
    if stored.classes.len() > LENGTH_CLASSES || stored.classes.last() == Some(&0) {
        return Err(Why::Wrong("classes of lengths"));
    }
    texts.classes.iter_mut().zip(&stored.classes).for_each(|(class, count)| *class = *count);
    let counted = texts.classes.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
    let [.., string, _, _] = stored.kinds;
    if !stored.thin && counted != Some(string) {
        return Err(Why::Wrong("classes of lengths"));
    }
    texts.shapes = shapes.map(Box::new);
    Ok(texts)
}

fn loaded_ranges(stored: &StoredColumn) -> Result<Ranges, Why> {
    let instants = match &stored.instants {
        None => None,
        Some(StoredInstants { range, resolution, zoned }) => {
            let range = loaded_texts::<i128>(Some(range), "range of the instants")?;
            let (first, last) = range.ok_or("range of the instants")?;
            if ![1, 1_000, 1_000_000, 1_000_000_000].contains(resolution) {
                return Err(Why::Wrong("resolution of the instants"));
            }
            Some(InstantRange { first, last, resolution: *resolution, zoned: *zoned })
        }
    };
    let decimals = match &stored.decimals {
        None => None,
        Some(StoredDecimals { range, scale }) => {
            let range = loaded_texts::<i128>(Some(range), "range of the decimals")?;
            let (least, greatest) = range.ok_or("range of the decimals")?;
            Some(Decimals { least, greatest, scale: *scale })
        }
    };
    Ok(Ranges {
        days: loaded_pair(stored.days, "range of the days")?,
        instants,
        decimals,
        decimals_lost: stored.decimals_lost,
        bytes: loaded_sizes(stored.bytes)?,
        lists: loaded_sizes(stored.lists)?,
        trues: stored.trues,
    })
}

fn loaded_sizes(sizes: Option<[u64; 3]>) -> Result<Option<Sizes>, Why> {
    match sizes {
        None => Ok(None),
        Some([least, greatest, total]) if least <= greatest && greatest <= total => {
            Ok(Some(Sizes { least, greatest, total }))
        }
        Some(_) => Err(Why::Wrong("lengths")),
    }
}

fn loaded_values(stored: &StoredColumn, filled: u64, width: usize) -> Result<Distinct, Why> {
    let keys = stored.values.iter().map(|(kind, value, _)| (kind, value));
    if !keys.is_sorted_by(|one, two| one < two) {
        return Err(Why::Wrong("order of the values"));
    }
    let sum = stored.values.iter().try_fold(0_u64, |sum, (_, _, count)| sum.checked_add(*count));
    let [.., list] = stored.kinds;
    if sum.and_then(|sum| sum.checked_add(list)) != Some(filled) || stored.values.iter().any(|one| one.2 == 0)
    {
        return Err(Why::Wrong("counts of the values"));
    }
    let mut loaded = Values::new(width);
    for (kind, value, count) in &stored.values {
        let text = value.as_bytes();
        let read = match kind.as_str() {
            "n" => number(text).ok_or("a number that is none")?,
            "b" => Value::Boolean,
            "d" => Value::Date,
            "t" => Value::Timestamp,
            "x" => Value::Binary,
            "s" => Value::Text,
            _ => return Err(Why::Wrong("the kind of a value")),
        };
        if kind.as_bytes() != [kind_of(read)] || !loaded.add(text, read, *count) {
            return Err(Why::Wrong("more values than are counted"));
        }
    }
    Ok(Distinct::Exact(loaded))
}

/// A number as any format writes it, infinities among them.
fn number(text: &[u8]) -> Option<Value> {
    match text {
        b"inf" => Some(Value::Float(f64::INFINITY)),
        b"-inf" => Some(Value::Float(f64::NEG_INFINITY)),
        text => cell::number(text.trim_ascii()),
    }
}
