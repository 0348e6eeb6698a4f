//! Two tables side by side: the columns of both by name, with one list of categories for both sides.

use std::borrow::Cow;
use std::collections::HashMap;

use super::change::SchemaChange;
use super::compare::{Column, Side};
use super::frame::{Frame, FrameColumn, FrameKind};

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

fn place(code: u32) -> Option<usize> {
    usize::try_from(code).ok()
}
