//! Training bounds: which values a model has seen, taken from the schema of its data.

use std::collections::BTreeSet;

use bartizan_data::{ColumnRules, ColumnType, Schema};
use bartizan_model::{Dimension, ElementType, Port, Signature, Tensor, Values};

use super::flags::{Flag, FlagKind, Flags};
use crate::oip::Datatype;

/// What the columns of a model's inputs may hold, by the data it was trained on.
///
/// Shares that a schema tolerates in a batch (`max_outside`, `max_unseen`) say nothing about a single request: here
/// every value outside a range or domain counts.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The inputs that they were made for.
    ports: Vec<Port>,
    /// The bounds of each input's columns, in the signature's order; row-major elements go round through them. `None` for
    /// a column that is compared with nothing.
    // INVARIANT: as many as the signature has inputs, and as many of each as it has columns, or one where these are not
    // known and nothing is compared.
    inputs: Vec<Vec<Option<Column>>>,
    /// The inputs and columns that are compared with nothing.
    uncompared: Vec<Uncompared>,
}

/// An input, or a column of one, of which the schema says nothing that could be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}`: {why}")]
pub struct Uncompared {
    /// The input's name, or the column's where the columns of inputs are named.
    pub name: String,
    /// Why.
    #[source]
    pub why: BoundsInvalid,
}

/// How much of a request is compared with the training data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared<'a> {
    /// Every input with all its columns.
    All,
    /// Everything but these.
    AllBut(&'a [Uncompared]),
    /// Nothing. These are all inputs or columns, or none when no data are known that the model was trained on.
    Nothing(&'a [Uncompared]),
}

impl Compared<'_> {
    /// The word that records use.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::AllBut(_) => "some",
            Self::Nothing(_) => "none",
        }
    }
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
    /// Whether a row may be without a value.
    optional: bool,
    /// The least and the greatest number, rounded to the input's own type.
    range: Option<(f64, f64)>,
    /// The numbers it may hold, sorted by [`f64::total_cmp`], rounded to the input's own type.
    numbers: Option<Vec<f64>>,
    /// The texts it may hold.
    words: Option<BTreeSet<String>>,
    /// The longest text, in characters.
    max_length: Option<u64>,
    /// Texts that mean "no value".
    null: Vec<String>,
}

/// A schema that says nothing that could be checked of this model's inputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoundsInvalid {
    /// An input that is no column.
    #[error("the schema has no column `{column}`")]
    NoColumn {
        /// The name.
        column: String,
    },
    /// A column that is not of the kind of its input.
    #[error("the column `{column}` is {kind}, and the input is {datatype}")]
    Kind {
        /// The column.
        column: String,
        /// What the schema says.
        kind: &'static str,
        /// What the model takes.
        datatype: Datatype,
    },
    /// A column of whose values nothing is said, beside that they are there.
    #[error(
        "the schema has no rule for the values of the column `{column}` that could be held against one request"
    )]
    NoRule {
        /// The column.
        column: String,
    },
    /// Another number of column names than the inputs have columns.
    #[error("{names} columns are named, and the model's inputs have {columns}")]
    Count {
        /// Names.
        names: usize,
        /// Columns of all inputs.
        columns: usize,
    },
    /// An input with several columns that are not named.
    #[error(
        "`{input}` is not one column of the data, and nobody said which columns it is (`--input-columns`)"
    )]
    NotAColumn {
        /// The input.
        input: String,
    },
    /// A column is named for an input that is another column by its own name.
    #[error("the input `{input}` is the column of that name, and not `{column}`")]
    OtherColumn {
        /// The input.
        input: String,
        /// What it was said to be.
        column: String,
    },
    /// Columns are named, and an input does not say how many it has, or is no rows of columns.
    #[error("`{input}` is not rows of a fixed number of columns, so its columns cannot be named")]
    NotColumns {
        /// The input.
        input: String,
    },
}

impl Bounds {
    /// Bounds of a model each of whose inputs is one column of the data, by its name. A column may have a name that no
    /// input can have: the ONNX specification (IR, "Names Within a Graph") demands C90 identifiers, so
    /// `marital-status` is the column of the input `marital_status` where no column has that very name, unless two
    /// columns could be meant or the column is another input by its own name.
    ///
    /// An input that is no column, is not one column only, is of another kind, or is a column without a rule for its
    /// values is [left out](Self::uncompared).
    pub fn by_input(schema: &Schema, signature: &Signature) -> Self {
        let (mut inputs, mut uncompared) = (Vec::with_capacity(signature.inputs.len()), Vec::new());
        for port in &signature.inputs {
            match Column::of_input(schema, port, &signature.inputs) {
                Ok(column) => inputs.push(vec![Some(column)]),
                Err(why) => {
                    inputs.push(vec![None]);
                    uncompared.push(Uncompared { name: port.name.clone(), why });
                }
            }
        }
        Self { ports: signature.inputs.clone(), inputs, uncompared }
    }

    /// Bounds of a model whose inputs are rows of columns, with the names that the data have for them: those of the
    /// first input in their order, then those of the second, and so on. A column of which the schema says nothing, or has
    /// no rule for its values, is [left out](Self::uncompared).
    ///
    /// # Errors
    /// When the names are more or less than the columns of all inputs, or these are not known; when an input of one column is
    /// another column by its own name.
    pub fn by_column(
        schema: &Schema,
        signature: &Signature,
        columns: &[String],
    ) -> Result<Self, BoundsInvalid> {
        let widths = named_for(columns, signature)?;
        not_misnamed(schema, signature, &widths, columns)?;
        let (mut names, mut uncompared) = (columns.iter(), Vec::new());
        let mut column = |name: &String, port: &Port| {
            let found = rules_of(schema, name).and_then(|rules| Column::new(rules, schema, name, port));
            found.map_err(|why| uncompared.push(Uncompared { name: name.clone(), why })).ok()
        };
        let of = |(port, width): (&Port, usize)| {
            names.by_ref().take(width).map(|name| column(name, port)).collect()
        };
        let inputs = signature.inputs.iter().zip(widths).map(of).collect();
        Ok(Self { ports: signature.inputs.clone(), inputs, uncompared })
    }

    /// The inputs or columns that are compared with nothing, in the signature's order.
    pub fn uncompared(&self) -> &[Uncompared] {
        &self.uncompared
    }

    /// How much of a request they say something of.
    pub fn compared(&self) -> Compared<'_> {
        match self.uncompared.as_slice() {
            [] => Compared::All,
            all if self.inputs.iter().flatten().all(Option::is_none) => Compared::Nothing(all),
            some => Compared::AllBut(some),
        }
    }

    /// Whether they were made for these inputs.
    pub fn are_for(&self, signature: &Signature) -> bool {
        self.ports == signature.inputs
    }

    /// What in a request is unlike training. `inputs` fit the signature and are in its order.
    pub fn check(&self, inputs: &[Tensor]) -> Flags {
        let mut flags = Flags::default();
        for (columns, tensor) in self.inputs.iter().zip(inputs) {
            for (index, column) in columns.iter().enumerate() {
                if let Some(column) = column {
                    column.check(tensor, index, columns.len(), &mut flags);
                }
            }
        }
        flags
    }
}

impl Column {
    fn of_input(schema: &Schema, port: &Port, all: &[Port]) -> Result<Self, BoundsInvalid> {
        let single = match port.shape.as_slice() {
            [] | [Dimension::Rows | Dimension::Open] => true,
            [Dimension::Fixed(length)] => *length == 1,
            [_, rest @ ..] => rest.iter().all(|dimension| *dimension == Dimension::Fixed(1)),
        };
        if !single {
            return Err(BoundsInvalid::NotAColumn { input: port.name.clone() });
        }
        let free = |rules: &&ColumnRules| all.iter().all(|other| other.name != rules.name);
        let rules = rules_of(schema, &port.name)
            .or_else(|error| as_identifier(schema, &port.name).filter(free).ok_or(error));
        Self::new(rules?, schema, &port.name, port)
    }

    fn new(rules: &ColumnRules, schema: &Schema, name: &str, port: &Port) -> Result<Self, BoundsInvalid> {
        let is_text = port.element == ElementType::Text;
        let wrong_kind = || BoundsInvalid::Kind {
            column: name.to_owned(),
            kind: rules.kind.name(),
            datatype: port.element.into(),
        };
        if !is_text && !matches!(rules.kind, ColumnType::Integer | ColumnType::Float | ColumnType::Boolean) {
            return Err(wrong_kind());
        }
        let truth = !is_text && rules.kind == ColumnType::Boolean;
        let mut column = Self {
            name: name.to_owned(),
            optional: rules.min_present < 1.0,
            range: rules.range.map(|range| (narrow(range.min, port), narrow(range.max, port))),
            numbers: truth.then(|| vec![0.0, 1.0]),
            words: None,
            max_length: rules.max_length.filter(|_| is_text),
            null: schema.csv.null.tokens().to_vec(),
        };
        if let Some(domain) = &rules.domain {
            if is_text {
                column.words = Some(domain.values.iter().cloned().collect());
            } else {
                let numbers = domain.values.iter().map(|value| number(value, rules));
                let numbers: Option<Vec<f64>> =
                    numbers.map(|number| number.map(|number| narrow(number, port))).collect();
                let mut numbers = numbers.ok_or_else(wrong_kind)?;
                numbers.sort_by(f64::total_cmp);
                column.numbers = Some(numbers);
            }
        }
        if column.says_nothing() {
            return Err(BoundsInvalid::NoRule { column: name.to_owned() });
        }
        Ok(column)
    }

    fn says_nothing(&self) -> bool {
        self.range.is_none() && self.numbers.is_none() && self.words.is_none() && self.max_length.is_none()
    }

    /// Looks at every `count`-th element from `index` on.
    fn check(&self, tensor: &Tensor, index: usize, count: usize, flags: &mut Flags) {
        let mut found: [Option<(usize, usize)>; FlagKind::ALL.len()] = [None; FlagKind::ALL.len()];
        let mut note = |row: usize, kind: Option<FlagKind>| {
            let place = kind.and_then(|kind| FlagKind::ALL.iter().position(|other| *other == kind));
            if let Some(place) = place.and_then(|place| found.get_mut(place)) {
                let (seen, _) = place.get_or_insert((0, row));
                *seen += 1;
            }
        };
        match tensor.values() {
            Values::F32(values) => {
                let column = values.iter().skip(index).step_by(count).enumerate();
                column.for_each(|(row, value)| note(row, self.number(f64::from(*value))));
            }
            Values::F64(values) => {
                let column = values.iter().skip(index).step_by(count).enumerate();
                column.for_each(|(row, value)| note(row, self.number(*value)));
            }
            Values::I64(values) => {
                let column = values.iter().skip(index).step_by(count).enumerate();
                column.for_each(|(row, value)| note(row, self.number(to_f64(*value))));
            }
            Values::I32(values) => {
                let column = values.iter().skip(index).step_by(count).enumerate();
                column.for_each(|(row, value)| note(row, self.number(f64::from(*value))));
            }
            Values::Bool(values) => {
                let column = values.iter().skip(index).step_by(count).enumerate();
                column.for_each(|(row, value)| note(row, self.number(f64::from(u8::from(*value)))));
            }
            Values::Text(values) => {
                let column = values.iter().skip(index).step_by(count).enumerate();
                column.for_each(|(row, value)| note(row, self.text(value)));
            }
        }
        for (kind, found) in FlagKind::ALL.iter().zip(found) {
            if let Some((count, first_row)) = found {
                flags.push(Flag { column: self.name.clone(), kind: *kind, count, first_row });
            }
        }
    }

    fn number(&self, value: f64) -> Option<FlagKind> {
        if value.is_nan() {
            return (!self.optional).then_some(FlagKind::Missing);
        }
        if let Some((least, greatest)) = self.range {
            if value < least {
                return Some(FlagKind::Below);
            }
            if value > greatest {
                return Some(FlagKind::Above);
            }
        }
        // Nought has two spellings, which are one number.
        let value = value + 0.0;
        let known = self.numbers.as_ref();
        let unseen = known.is_some_and(|known| known.binary_search_by(|one| one.total_cmp(&value)).is_err());
        unseen.then_some(FlagKind::Unseen)
    }

    fn text(&self, value: &str) -> Option<FlagKind> {
        let trimmed = value.trim_ascii();
        if self.null.iter().any(|null| null == trimmed) {
            return (!self.optional).then_some(FlagKind::Missing);
        }
        if self.range.is_some() {
            let number = trimmed.parse().ok().filter(|number: &f64| number.is_finite());
            let Some(number) = number else { return Some(FlagKind::Unseen) };
            if let Some(kind) = self.number(number) {
                return Some(kind);
            }
        }
        if self.words.as_ref().is_some_and(|words| !words.contains(value)) {
            return Some(FlagKind::Unseen);
        }
        let characters = || u64::try_from(value.chars().count()).unwrap_or(u64::MAX);
        self.max_length.is_some_and(|most| characters() > most).then_some(FlagKind::TooLong)
    }
}

/// How many columns each input has, in the signature's order, where they are as many as there are names.
///
/// # Errors
/// When they are not, or an input is not rows of a fixed number of columns.
pub fn named_for(columns: &[String], signature: &Signature) -> Result<Vec<usize>, BoundsInvalid> {
    let width = |port: &Port| match port.shape.as_slice() {
        [] | [_] => Ok(1),
        [_, Dimension::Fixed(width)] => Ok(*width),
        _ => Err(BoundsInvalid::NotColumns { input: port.name.clone() }),
    };
    let widths: Vec<usize> = signature.inputs.iter().map(width).collect::<Result<_, _>>()?;
    let count = widths.iter().fold(0_usize, |sum, width| sum.saturating_add(*width));
    if columns.len() == count {
        Ok(widths)
    } else {
        Err(BoundsInvalid::Count { names: columns.len(), columns: count })
    }
}

/// No input that is one column by its own name is said to be another.
fn not_misnamed(
    schema: &Schema,
    signature: &Signature,
    widths: &[usize],
    columns: &[String],
) -> Result<(), BoundsInvalid> {
    let mut at = 0;
    for (port, width) in signature.inputs.iter().zip(widths) {
        let own = rules_of(schema, &port.name).ok().or_else(|| as_identifier(schema, &port.name));
        let said = columns.get(at).filter(|_| *width == 1);
        if let (Some(own), Some(said)) = (own, said)
            && own.name != *said
        {
            return Err(BoundsInvalid::OtherColumn { input: port.name.clone(), column: said.clone() });
        }
        at += width;
    }
    Ok(())
}

fn rules_of<'a>(schema: &'a Schema, name: &str) -> Result<&'a ColumnRules, BoundsInvalid> {
    schema.column(name).ok_or_else(|| BoundsInvalid::NoColumn { column: name.to_owned() })
}

/// The one column whose name is `input` once each character that no C90 identifier has is an underscore.
fn as_identifier<'a>(schema: &'a Schema, input: &str) -> Option<&'a ColumnRules> {
    let spelled = |name: &str| {
        let other = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
        name.chars().map(other).eq(input.chars())
    };
    if !input.contains(|character: char| character.is_ascii_alphanumeric()) {
        return None;
    }
    let mut columns = schema.columns.iter().filter(|column| spelled(&column.name));
    columns.next().filter(|_| columns.next().is_none())
}

/// A number of a domain, as a numeric input would bring it.
fn number(value: &str, rules: &ColumnRules) -> Option<f64> {
    match (rules.kind, value) {
        (ColumnType::Boolean, "true") => Some(1.0),
        (ColumnType::Boolean, "false") => Some(0.0),
        // `-0` and `0` are one number.
        _ => value.parse().ok().filter(|number: &f64| number.is_finite()).map(|number| number + 0.0),
    }
}

/// A bound as the input's own type has it: the training value 0.1 is more than 0.1 once it is in 32 bits.
fn narrow(bound: f64, port: &Port) -> f64 {
    if port.element == ElementType::F32 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounded just as values are; overflow is no bound"
        )]
        let narrow = bound as f32;
        return f64::from(narrow);
    }
    bound
}

/// As schemas compare: beyond 2^53 a whole number is rounded.
fn to_f64(value: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "ranges are compared as IEEE 754 doubles")]
    let rounded = value as f64;
    rounded
}
