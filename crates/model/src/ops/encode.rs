//! `OneHotEncoder`: a column for each category.

use std::collections::HashMap;
use std::sync::Arc;

use crate::bound::{Dim, Fact};
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, input, value};
use crate::signature::Labels;
use crate::tensor::{ElementType, Tensor, Values};

#[derive(Debug)]
struct OneHot {
    categories: Categories,
    count: usize,
    /// Whether an unknown category is a row of zeros; else it is an error.
    zeros: bool,
}

#[derive(Debug)]
enum Categories {
    Integers(HashMap<i64, usize>),
    Texts(HashMap<Arc<str>, usize>),
}

pub(crate) fn one_hot(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.input(0)?;
    let labels = build.attributes.labels("cats_int64s", "cats_strings")?;
    let labels = labels.ok_or_else(|| value("cats_int64s", "or cats_strings is missing"))?;
    let count = labels.len();
    let (categories, known) = match (labels, fact.element) {
        (Labels::Texts(names), ElementType::Text) => {
            let places: HashMap<_, _> =
                names.into_iter().enumerate().map(|(place, name)| (name, place)).collect();
            let known = places.len();
            (Categories::Texts(places), known)
        }
        (
            Labels::Integers(names),
            ElementType::I64 | ElementType::I32 | ElementType::F32 | ElementType::F64,
        ) => {
            let places: HashMap<_, _> =
                names.into_iter().enumerate().map(|(place, name)| (name, place)).collect();
            let known = places.len();
            (Categories::Integers(places), known)
        }
        (_, element) => return Err(NodeInvalid::Element { index: 0, element }),
    };
    if known != count {
        return Err(NodeInvalid::Disagree { what: "a category is listed twice" });
    }
    let zeros = build.attributes.flag("zeros", true)?;
    let dims = fact.dims.iter().copied().chain([Dim::known(count)]).collect();
    let steps = fact.lookup_steps();
    let output = Fact::new(ElementType::F32, dims);
    Ok(Built::new(OneHot { categories, count, zeros }, vec![output]).with_steps(steps))
}

/// The category that a float names: that of its whole part. What is not a number, or too large, names none.
#[expect(clippy::cast_possible_truncation, reason = "the whole part is in the range of whole numbers")]
fn category(value: f64) -> Option<i64> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    (-BEYOND..BEYOND).contains(&value).then_some(value as i64)
}

impl OneHot {
    fn fill(
        &self,
        columns: &mut [f32],
        places: impl Iterator<Item = Option<usize>>,
    ) -> Result<(), NodeFailed> {
        for (row, place) in columns.chunks_mut(self.count).zip(places) {
            match place.and_then(|place| row.get_mut(place)) {
                Some(cell) => *cell = 1.0,
                None if self.zeros => {}
                None => return Err(NodeFailed::Category),
            }
        }
        Ok(())
    }
}

impl Operator for OneHot {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let tensor = input(inputs, 0)?;
        let mut shape = tensor.shape().to_vec();
        shape.push(self.count);
        let mut columns = vec![0.0; tensor.values().len().saturating_mul(self.count)];
        match (&self.categories, tensor.values()) {
            (Categories::Texts(places), Values::Text(values)) => {
                self.fill(&mut columns, values.iter().map(|value| places.get(value).copied()))?;
            }
            (Categories::Integers(places), Values::I64(values)) => {
                self.fill(&mut columns, values.iter().map(|value| places.get(value).copied()))?;
            }
            (Categories::Integers(places), Values::I32(values)) => {
                self.fill(&mut columns, values.iter().map(|value| places.get(&i64::from(*value)).copied()))?;
            }
            (Categories::Integers(places), Values::F32(values)) => {
                let found = |value: &f32| places.get(&category(f64::from(*value))?).copied();
                self.fill(&mut columns, values.iter().map(found))?;
            }
            (Categories::Integers(places), Values::F64(values)) => {
                self.fill(&mut columns, values.iter().map(|value| places.get(&category(*value)?).copied()))?;
            }
            _ => return Err(NodeFailed::Promise),
        }
        Ok(vec![Tensor::new(shape, Values::F32(columns))?])
    }
}
