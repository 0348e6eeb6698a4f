//! Two tables side by side: the columns of both by name, with one list of categories for both sides.

use std::borrow::Cow;
use std::collections::HashMap;

use super::change::SchemaChange;
use super::compare::{Column, Side};
use super::frame::{Frame, FrameColumn, FrameKind, lossy};

/// The values of one side of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Held<'a> {
    /// There is no such column.
    Absent,
    /// A number for each row; NaN is missing.
    Numbers(Cow<'a, [f64]>),
    /// A code for each row, of the list of the pair.
    Codes(Cow<'a, [u32]>),
}

/// A column of two tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair<'a> {
    /// Its name.
    pub name: &'a str,
    /// What its values are, of the side that has any.
    pub kind: FrameKind,
    /// The reference.
    pub reference: Held<'a>,
    /// The current values.
    pub current: Held<'a>,
    /// What each code stands for.
    pub texts: Vec<&'a [u8]>,
    /// Whether it holds the elements of lists.
    pub nested: bool,
    /// How the column itself changed.
    pub schema: Option<SchemaChange>,
}

/// Puts the columns of two tables side by side: those of the reference in their order, then those that are new.
pub fn pairs<'a>(reference: &'a Frame, current: &'a Frame) -> Vec<Pair<'a>> {
    let new = current.columns().iter().filter(|column| reference.column(column.name()).is_none());
    let known = reference.columns().iter().map(|one| pair(Some(one), current.column(one.name())));
    known.chain(new.map(|column| pair(None, Some(column)))).collect()
}

fn pair<'a>(one: Option<&'a FrameColumn>, two: Option<&'a FrameColumn>) -> Pair<'a> {
    let name = one.or(two).map_or("", FrameColumn::name);
    let kinds = (one.map(FrameColumn::kind), two.map(FrameColumn::kind));
    let kind = match kinds {
        (Some(FrameKind::Empty) | None, other) => other.unwrap_or_default(),
        (Some(kind), _) => kind,
    };
    let schema = match kinds {
        (None, _) => Some(SchemaChange::Added),
        (_, None) => Some(SchemaChange::Removed),
        (Some(one), Some(two)) if one != two && one != FrameKind::Empty && two != FrameKind::Empty => {
            Some(SchemaChange::Retyped)
        }
        _ => None,
    };
    let (mut places, mut texts) = (HashMap::<&[u8], u32, foldhash::fast::RandomState>::default(), Vec::new());
    let mut held = |column: Option<&'a FrameColumn>| match column {
        None => Held::Absent,
        Some(column) if column.kind() == FrameKind::Empty && kind != FrameKind::Texts => {
            Held::Numbers(Cow::Owned(vec![f64::NAN; column.len()]))
        }
        Some(column) => match (column.numbers(), column.coded()) {
            (Some(numbers), _) => Held::Numbers(Cow::Borrowed(numbers)),
            (None, Some((codes, own))) => {
                let joint: Vec<u32> = own
                    .iter()
                    .map(|text| {
                        let next = u32::try_from(texts.len()).unwrap_or(Side::MISSING);
                        let code = *places.entry(text.as_ref()).or_insert(next);
                        if code == next {
                            texts.push(text.as_ref());
                        }
                        code
                    })
                    .collect();
                if joint.iter().zip(0..).all(|(code, place)| *code == place) {
                    return Held::Codes(Cow::Borrowed(codes));
                }
                // A code beyond the list says that there were too many, which it must go on to say.
                let of = |code: &u32| place(*code).and_then(|at| joint.get(at)).copied().unwrap_or(*code);
                Held::Codes(Cow::Owned(codes.iter().map(of).collect()))
            }
            (None, None) => Held::Codes(Cow::Owned(vec![Side::MISSING; column.len()])),
        },
    };
    let (reference, current) = (held(one), held(two));
    let nested = one.or(two).is_some_and(FrameColumn::is_nested);
    Pair { name, kind, reference, current, texts, nested, schema }
}

impl Held<'_> {
    /// As a side of a comparison.
    pub fn side(&self) -> Side<'_> {
        match self {
            Self::Absent => Side::Absent,
            Self::Numbers(numbers) => Side::Numbers(numbers),
            Self::Codes(codes) => Side::Categories(codes),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Absent => 0,
            Self::Numbers(numbers) => numbers.len(),
            Self::Codes(codes) => codes.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Some of the rows, in the order in which they are named. Rows that do not exist are left out.
    #[must_use]
    pub fn pick(&self, rows: &[u32]) -> Held<'static> {
        fn picked<T: Copy>(values: &[T], rows: &[u32]) -> Cow<'static, [T]> {
            Cow::Owned(rows.iter().filter_map(|row| values.get(place(*row)?)).copied().collect())
        }
        match self {
            Self::Absent => Held::Absent,
            Self::Numbers(numbers) => Held::Numbers(picked(numbers, rows)),
            Self::Codes(codes) => Held::Codes(picked(codes, rows)),
        }
    }
}

impl Pair<'_> {
    /// As a column to compare.
    pub fn column(&self) -> Column<'_> {
        Column::new(self.name, self.reference.side(), self.current.side())
    }
}

/// What the rows of two tables say in a column that puts them into groups, such as a cluster, a period or a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    /// A place in `names` for each row of the reference; [`Side::MISSING`] where there is no value.
    pub reference: Vec<u32>,
    /// The same for the current rows.
    pub current: Vec<u32>,
    /// The different values in their order: of numbers, of time, or of the alphabet.
    pub names: Vec<String>,
}

impl Tags {
    /// The values of a column of two tables; a table that has no such column is `None` and has no rows here. `cut` makes
    /// less of a number or time, such as the month in which it lies.
    pub fn of(
        reference: Option<&FrameColumn>,
        current: Option<&FrameColumn>,
        cut: impl Fn(f64) -> f64,
        name: impl Fn(f64, FrameKind) -> String,
    ) -> Self {
        let sides = [reference, current];
        let mut keys: Vec<Key<'_>> = sides.into_iter().flatten().flat_map(|side| side.keys(&cut)).collect();
        keys.sort_unstable();
        keys.dedup();
        let kind = sides.into_iter().flatten().map(FrameColumn::kind).find(|kind| *kind != FrameKind::Empty);
        let mut tags = sides.map(|side| {
            let Some(side) = side else { return Vec::new() };
            let code = |key: Option<Key<'_>>| {
                let place = key.and_then(|key| keys.binary_search(&key).ok());
                place.and_then(|place| u32::try_from(place).ok()).unwrap_or(Side::MISSING)
            };
            if let Some((codes, texts)) = side.coded() {
                let known: Vec<u32> = texts.iter().map(|text| code(Some(Key::Text(text)))).collect();
                let of =
                    |own: &u32| place(*own).and_then(|at| known.get(at)).copied().unwrap_or(Side::MISSING);
                return codes.iter().map(of).collect();
            }
            match side.numbers() {
                Some(numbers) => numbers.iter().map(|number| code(Key::cut(*number, &cut))).collect(),
                None => vec![Side::MISSING; side.len()],
            }
        });
        let names = keys.iter().map(|key| match key {
            Key::Number(bits) => name(number(*bits), kind.unwrap_or_default()),
            Key::Text(text) => lossy(text).into_owned(),
        });
        let names = names.collect();
        let [reference, current] = tags.each_mut().map(std::mem::take);
        Self { reference, current, names }
    }
}

/// What values are put in order by: numbers, then texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    /// Bits that are in the order of the numbers.
    Number(i64),
    Text(&'a [u8]),
}

impl Key<'_> {
    /// The key of what is left of a number; `None` where there is none.
    fn cut(number: f64, cut: &impl Fn(f64) -> f64) -> Option<Self> {
        if number.is_nan() { None } else { Self::of(cut(number)) }
    }

    const fn of(number: f64) -> Option<Self> {
        if number.is_nan() {
            return None;
        }
        let bits = (number + 0.0).to_bits().cast_signed();
        Some(Self::Number(bits ^ (((bits >> 63).cast_unsigned() >> 1).cast_signed())))
    }
}

fn number(bits: i64) -> f64 {
    f64::from_bits((bits ^ (((bits >> 63).cast_unsigned() >> 1).cast_signed())).cast_unsigned())
}

impl FrameColumn {
    fn keys(&self, cut: &impl Fn(f64) -> f64) -> Vec<Key<'_>> {
        let mut keys: Vec<Key<'_>> = match (self.numbers(), self.coded()) {
            (Some(numbers), _) => numbers.iter().filter_map(|number| Key::cut(*number, cut)).collect(),
            (None, Some((_, texts))) => texts.iter().map(|text| Key::Text(text)).collect(),
            (None, None) => Vec::new(),
        };
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

fn place(code: u32) -> Option<usize> {
    usize::try_from(code).ok()
}
