//! Labels: `LabelEncoder`, `ZipMap`, and what classifiers share.

use std::collections::HashMap;
use std::sync::Arc;

use crate::bound::{Bound, Dim, Fact};
use crate::node::{Attributes, Build, Built, NodeFailed, NodeInvalid, Operator, input, table, value};
use crate::signature::Labels;
use crate::tensor::{ElementType, Tensor, Values};

impl Labels {
    fn element(&self) -> ElementType {
        match self {
            Labels::Integers(_) => ElementType::I64,
            Labels::Texts(_) => ElementType::Text,
        }
    }
}

/// What is known of a tensor of labels.
pub(crate) fn label_fact(labels: &Labels, dims: Vec<Dim>) -> Fact {
    Fact::new(labels.element(), dims)
}

/// The labels at `indices`.
pub(crate) fn label_tensor(
    labels: &Labels,
    shape: Vec<usize>,
    indices: impl Iterator<Item = usize>,
) -> Result<Tensor, NodeFailed> {
    let values = match labels {
        Labels::Integers(labels) => {
            Values::I64(indices.map(|index| labels.get(index).copied().unwrap_or_default()).collect())
        }
        Labels::Texts(labels) => {
            let none: Arc<str> = Arc::from("");
            Values::Text(indices.map(|index| labels.get(index).unwrap_or(&none).clone()).collect())
        }
    };
    Ok(Tensor::new(shape, values)?)
}

/// `ZipMap`: scores under names. The map is given as a tensor whose columns are in the order of the sorted names,
/// and the names are part of the signature.
#[derive(Debug)]
struct ZipMap {
    /// For each column of the result, its column in the input.
    from: Vec<usize>,
}

pub(crate) fn zip_map(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &[ElementType::F32])?;
    let (rows, columns) = table(fact, 0)?;
    let labels = build.attributes.labels("classlabels_int64s", "classlabels_strings")?;
    let labels = labels.ok_or_else(|| value("classlabels_int64s", "or classlabels_strings is missing"))?;
    if columns.length().is_some_and(|length| length != labels.len()) {
        return Err(NodeInvalid::Disagree { what: "there are not as many labels as columns" });
    }
    let mut from: Vec<usize> = (0..labels.len()).collect();
    let sorted = match labels {
        Labels::Integers(names) => {
            from.sort_by_key(|index| names.get(*index));
            Labels::Integers(from.iter().filter_map(|index| names.get(*index).copied()).collect())
        }
        Labels::Texts(names) => {
            from.sort_by_key(|index| names.get(*index));
            Labels::Texts(from.iter().filter_map(|index| names.get(*index).cloned()).collect())
        }
    };
    let output = Fact::new(ElementType::F32, vec![rows, Dim::known(from.len())]);
    Ok(Built { columns: Some(sorted), ..Built::new(ZipMap { from }, vec![output]) })
}

impl Operator for ZipMap {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let tensor = input(inputs, 0)?;
        let (rows, columns) = crate::node::table_shape(tensor)?;
        let scores = tensor.as_f32().ok_or(NodeFailed::Promise)?;
        if columns != self.from.len() {
            return Err(crate::node::shapes("there are not as many labels as columns"));
        }
        let mut sorted = Vec::with_capacity(scores.len());
        if columns > 0 {
            for row in scores.chunks(columns) {
                sorted.extend(self.from.iter().filter_map(|index| row.get(*index)));
            }
        }
        Ok(vec![Tensor::new(vec![rows, columns], Values::F32(sorted))?])
    }
}

/// `LabelEncoder`: from each known key to a value, from all others to a default.
#[derive(Debug)]
struct Encoder {
    keys: Keys,
    /// The value of each key, and after them the default.
    values: Values,
}

#[derive(Debug)]
enum Keys {
    Integers(HashMap<i64, usize>),
    Texts(HashMap<Arc<str>, usize>),
    /// By their bits: zeros and what is not a number are made equal first.
    Floats(HashMap<u32, usize>),
}

fn bits(value: f32) -> u32 {
    match value {
        value if value.is_nan() => f32::NAN.to_bits(),
        0.0 => 0,
        value => value.to_bits(),
    }
}

/// `LabelEncoder` of the first operator set: between texts and their places in a list.
pub(crate) fn label_encoder_1(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &[ElementType::Text, ElementType::I64])?;
    let classes = build.attributes.texts("classes_strings")?;
    let text = build.attributes.text("default_string")?.unwrap_or_else(|| Arc::from("_Unused"));
    let number = build.attributes.integer("default_int64")?.unwrap_or(-1);
    let places = 0..i64::try_from(classes.len()).unwrap_or(i64::MAX);
    let encoder = if fact.element == ElementType::Text {
        let values = Values::I64(places.chain([number]).collect());
        Encoder { keys: Keys::Texts(last_places(classes.into_iter())), values }
    } else {
        let values = Values::Text(classes.into_iter().chain([text]).collect());
        Encoder { keys: Keys::Integers(last_places(places)), values }
    };
    Ok(encoder.built(fact))
}

/// Where each key stands last: of two entries of the older operators, the later one counts.
fn last_places<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> HashMap<K, usize> {
    keys.enumerate().map(|(place, key)| (key, place)).collect()
}

/// Where each key stands first: of two entries of the newer operators, the earlier one counts.
fn first_places<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> HashMap<K, usize> {
    let mut places = HashMap::new();
    for (place, key) in keys.enumerate() {
        places.entry(key).or_insert(place);
    }
    places
}

/// `LabelEncoder` of the second and fourth operator set.
pub(crate) fn label_encoder(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &[ElementType::Text, ElementType::I64, ElementType::F32])?;
    let keys = list(build.attributes, "keys")?;
    let mut values = list(build.attributes, "values")?;
    let default = build.attributes.tensor("default_tensor")?;
    let (text, number, float) = (
        build.attributes.text("default_string")?,
        build.attributes.integer("default_int64")?,
        build.attributes.float("default_float")?,
    );
    if keys.len() != values.len() || keys.is_empty() {
        return Err(NodeInvalid::Disagree { what: "keys and values are missing or differ in number" });
    }
    match (&mut values, default.as_ref().map(Tensor::values)) {
        (Values::I64(values), None) => values.push(number.unwrap_or(-1)),
        (Values::F32(values), None) => values.push(float.unwrap_or(-0.0)),
        (Values::Text(values), None) => values.push(text.unwrap_or_else(|| Arc::from("_Unused"))),
        (Values::I64(values), Some(Values::I64(default))) if default.len() == 1 => values.extend(default),
        (Values::F32(values), Some(Values::F32(default))) if default.len() == 1 => values.extend(default),
        (Values::Text(values), Some(Values::Text(default))) if default.len() == 1 => {
            values.extend_from_slice(default)
        }
        _ => return Err(value("default_tensor", "is not one value of the type of the values")),
    }
    let keys = match (keys, fact.element) {
        (Values::I64(keys), ElementType::I64) => Keys::Integers(first_places(keys.into_iter())),
        (Values::Text(keys), ElementType::Text) => Keys::Texts(first_places(keys.into_iter())),
        (Values::F32(keys), ElementType::F32) => {
            let mut places = first_places(keys.into_iter().map(bits));
            if build.version < 4 {
                // What is not a number was no key yet.
                places.remove(&bits(f32::NAN));
            }
            Keys::Floats(places)
        }
        (_, element) => return Err(NodeInvalid::Element { index: 0, element }),
    };
    Ok(Encoder { keys, values }.built(fact))
}

/// `CategoryMapper`: between numbers and texts, in the direction that the input asks for.
pub(crate) fn category_mapper(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &[ElementType::Text, ElementType::I64])?;
    let numbers = build.attributes.integers("cats_int64s")?;
    let texts = build.attributes.texts("cats_strings")?;
    let text = build.attributes.text("default_string")?.unwrap_or_else(|| Arc::from("_Unused"));
    let number = build.attributes.integer("default_int64")?.unwrap_or(-1);
    if numbers.len() != texts.len() || numbers.is_empty() {
        return Err(NodeInvalid::Disagree { what: "numbers and texts are missing or differ in number" });
    }
    let encoder = if fact.element == ElementType::Text {
        let values = Values::I64(numbers.into_iter().chain([number]).collect());
        Encoder { keys: Keys::Texts(last_places(texts.into_iter())), values }
    } else {
        let values = Values::Text(texts.into_iter().chain([text]).collect());
        Encoder { keys: Keys::Integers(last_places(numbers.into_iter())), values }
    };
    Ok(encoder.built(fact))
}

/// The one of the attributes `keys_*` or `values_*` that is there.
fn list(attributes: &mut Attributes<'_>, prefix: &str) -> Result<Values, NodeInvalid> {
    let integers = attributes.integers(&format!("{prefix}_int64s"))?;
    let floats = attributes.floats(&format!("{prefix}_floats"))?;
    let texts = attributes.texts(&format!("{prefix}_strings"))?;
    let tensor = attributes.tensor(&format!("{prefix}_tensor"))?.map(|tensor| tensor.values().clone());
    let given = [Values::I64(integers), Values::F32(floats), Values::Text(texts)].into_iter().chain(tensor);
    let mut given = given.filter(|values| !values.is_empty());
    match (given.next(), given.next()) {
        (Some(values), None) => Ok(values),
        _ => Err(NodeInvalid::Disagree { what: "keys and values have to be given once each" }),
    }
}

impl Encoder {
    fn built(self, fact: &Fact) -> Built {
        let output = Fact::new(self.values.element(), fact.dims.clone());
        let places = fact.elements().times(Bound::fixed(8));
        Built::new(self, vec![output]).with_scratch(places).with_steps(fact.lookup_steps())
    }

    fn places(&self, tensor: &Tensor) -> Result<Vec<usize>, NodeFailed> {
        let default = self.values.len().saturating_sub(1);
        let place = |found: Option<&usize>| found.copied().unwrap_or(default);
        Ok(match (&self.keys, tensor.values()) {
            (Keys::Integers(keys), Values::I64(values)) => {
                values.iter().map(|key| place(keys.get(key))).collect()
            }
            (Keys::Texts(keys), Values::Text(values)) => {
                values.iter().map(|key| place(keys.get(key))).collect()
            }
            (Keys::Floats(keys), Values::F32(values)) => {
                values.iter().map(|key| place(keys.get(&bits(*key)))).collect()
            }
            _ => return Err(NodeFailed::Promise),
        })
    }
}

impl Operator for Encoder {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let tensor = input(inputs, 0)?;
        let places = self.places(tensor)?;
        let values = super::select::pick(&self.values, &places)?;
        Ok(vec![Tensor::new(tensor.shape().to_vec(), values)?])
    }
}
