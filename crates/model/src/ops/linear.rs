//! `LinearClassifier` and `LinearRegressor`: products added in 64 bits, from left to right, rounded once.
#![expect(clippy::indexing_slicing, reason = "labels and scores are counted when the operator is built")]

use crate::bound::{Bound, Dim, Fact};
use crate::node::{
    Build, Built, NodeFailed, NodeInvalid, Operator, input, shapes, table, table_shape, value,
};
use crate::ops::labels::{label_fact, label_tensor};
use crate::ops::prepare::{NUMBERS, floats, floats_scratch};
use crate::ops::scores::Transform;
use crate::signature::Labels;
use crate::tensor::{ElementType, Tensor, Values};

/// Weights: a row of coefficients and an intercept for each output.
#[derive(Debug)]
struct Weights {
    coefficients: Vec<f32>,
    intercepts: Vec<f32>,
    columns: usize,
    transform: Transform,
}

#[derive(Debug)]
struct Classifier {
    weights: Weights,
    labels: Labels,
    /// One sum for two classes.
    pair: bool,
}

#[derive(Debug)]
struct Regressor(Weights);

impl Weights {
    fn take(build: &mut Build<'_, '_>, outputs: usize, intercepts: Vec<f32>) -> Result<Weights, NodeInvalid> {
        let coefficients = build.attributes.floats("coefficients")?;
        let columns = coefficients.len().checked_div(outputs).unwrap_or(0);
        if columns == 0 || columns * outputs != coefficients.len() || intercepts.len() != outputs {
            return Err(value("coefficients", "are missing or do not go with the intercepts"));
        }
        let transform = Transform::take(build.attributes)?;
        let (_, width) = table(build.input(0)?, 0)?;
        if width.length().is_some_and(|width| width != columns) {
            return Err(NodeInvalid::Disagree { what: "there are not as many coefficients as columns" });
        }
        Ok(Weights { coefficients, intercepts, columns, transform })
    }

    fn cost(&self, rows: Dim) -> Bound {
        rows.most.times(Bound::fixed(self.coefficients.len() as u64))
    }

    /// The sums of every row, one row after the other.
    #[expect(clippy::cast_possible_truncation, reason = "sums are rounded to 32 bits once")]
    fn sums(&self, tensor: &Tensor) -> Result<Vec<f32>, NodeFailed> {
        let (rows, columns) = table_shape(tensor)?;
        if columns != self.columns {
            return Err(shapes("there are not as many coefficients as columns"));
        }
        let values = floats(tensor)?;
        let mut sums = Vec::with_capacity(rows * self.intercepts.len());
        for row in values.chunks(columns) {
            for (coefficients, intercept) in self.coefficients.chunks(columns).zip(&self.intercepts) {
                let products =
                    row.iter().zip(coefficients).map(|(x, weight)| f64::from(*x) * f64::from(*weight));
                sums.push(products.fold(f64::from(*intercept), |sum, product| sum + product) as f32);
            }
        }
        Ok(sums)
    }
}

pub(crate) fn classifier(mut build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &NUMBERS)?;
    let (rows, _) = table(fact, 0)?;
    build.attributes.ignore(&["multi_class"]);
    let labels = build.attributes.labels("classlabels_ints", "classlabels_strings")?;
    let labels = labels.ok_or_else(|| value("classlabels_ints", "or classlabels_strings is missing"))?;
    let intercepts = build.attributes.floats("intercepts")?;
    let pair = intercepts.len() == 1 && labels.len() == 2;
    if !pair && labels.len() != intercepts.len() || labels.len() < 2 {
        return Err(value("intercepts", "do not go with the labels"));
    }
    let outputs = labels.len();
    let weights = Weights::take(&mut build, intercepts.len(), intercepts)?;
    let facts =
        vec![label_fact(&labels, vec![rows]), Fact::new(ElementType::F32, vec![rows, Dim::known(outputs)])];
    // Beside the scores: the sums, and the index of each row's label.
    let scratch = facts
        .iter()
        .fold(floats_scratch(fact), |sum, fact| sum.plus(fact.bytes()))
        .plus(rows.most.times(Bound::fixed(8)));
    let steps = weights.cost(rows);
    Ok(Built::new(Classifier { weights, labels, pair }, facts).with_steps(steps).with_scratch(scratch))
}

impl Operator for Classifier {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let sums = self.weights.sums(input(inputs, 0)?)?;
        let outputs = self.labels.len();
        let mut chosen = Vec::with_capacity(sums.len() / self.weights.intercepts.len());
        let scores = if self.pair {
            chosen.extend(sums.iter().map(|sum| usize::from(*sum > 0.0)));
            let mut scores = Vec::with_capacity(sums.len() * outputs);
            sums.iter().for_each(|sum| scores.extend(self.weights.transform.pair(*sum, true)));
            scores
        } else {
            let mut scores = sums;
            for row in scores.chunks_mut(outputs) {
                let best =
                    (1..row.len()).fold(0, |best, index| if row[index] > row[best] { index } else { best });
                chosen.push(best);
                self.weights.transform.apply(row);
            }
            scores
        };
        let rows = chosen.len();
        Ok(vec![
            label_tensor(&self.labels, vec![rows], chosen.into_iter())?,
            Tensor::new(vec![rows, outputs], Values::F32(scores))?,
        ])
    }
}

pub(crate) fn regressor(mut build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &NUMBERS)?;
    let (rows, _) = table(fact, 0)?;
    let targets = build.attributes.integer("targets")?.unwrap_or(1);
    let targets =
        usize::try_from(targets).ok().filter(|targets| (1..=crate::limits::CLASSES).contains(targets));
    let targets = targets.ok_or_else(|| value("targets", "is out of range"))?;
    let mut intercepts = build.attributes.floats("intercepts")?;
    if intercepts.is_empty() {
        intercepts = vec![0.0; targets];
    }
    let weights = Weights::take(&mut build, targets, intercepts)?;
    let facts = vec![Fact::new(ElementType::F32, vec![rows, Dim::known(targets)])];
    let steps = weights.cost(rows);
    Ok(Built::new(Regressor(weights), facts).with_steps(steps).with_scratch(floats_scratch(fact)))
}

impl Operator for Regressor {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let targets = self.0.intercepts.len();
        let mut sums = self.0.sums(input(inputs, 0)?)?;
        if targets > 1 || self.0.transform == Transform::Probit {
            sums.chunks_mut(targets).for_each(|row| self.0.transform.apply(row));
        }
        Ok(vec![Tensor::new(vec![sums.len() / targets, targets], Values::F32(sums))?])
    }
}
