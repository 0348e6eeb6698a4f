//! `TreeEnsembleClassifier` and `TreeEnsembleRegressor`: walks, sums, and what becomes of the sums.
//!
//! Sums run over the trees in the order of the file, in the type of the thresholds, as ONNX Runtime adds them when
//! it has rows enough for all its threads. Where the specification says little (base values, two classes with one
//! sum), its behaviour is followed too.
#![expect(
    clippy::indexing_slicing,
    reason = "sums are indexed by row and output, both in range by construction"
)]

use crate::bound::{Bound, Dim, Fact};
use crate::node::{
    Build, Built, NodeFailed, NodeInvalid, Operator, input, shapes, table, table_shape, value,
};
use crate::ops::labels::{label_fact, label_tensor};
use crate::ops::scores::Transform;
use crate::ops::trees::flat::Trees;
use crate::ops::trees::parse::{Forest, Number, forest};
use crate::signature::Labels;
use crate::tensor::{ElementType, Tensor, Values};

const NUMBERS: [ElementType; 4] = [ElementType::F32, ElementType::F64, ElementType::I64, ElementType::I32];

/// What becomes of the weights that a row collects.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Aggregate {
    Sum,
    Average,
    Min,
    Max,
}

#[derive(Debug)]
struct Ensemble<T> {
    trees: Trees<T>,
    most_feature: usize,
    outputs: usize,
    aggregate: Aggregate,
    base: Vec<T>,
    transform: Transform,
}

/// The sums of one call: a score for each row and output, and whether any leaf contributed to it.
struct Sums<T> {
    scores: Vec<T>,
    touched: Vec<bool>,
}

#[derive(Debug)]
struct Classifier<T> {
    ensemble: Ensemble<T>,
    labels: Labels,
    /// Two classes, and all weights are for one of them.
    one_sum: bool,
    all_positive: bool,
}

#[derive(Debug)]
struct Regressor<T>(Ensemble<T>);

pub(crate) fn classifier(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    match build.typed(0, &NUMBERS)?.element {
        ElementType::F64 => classifier_of::<f64>(build),
        _ => classifier_of::<f32>(build),
    }
}

pub(crate) fn regressor(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    match build.typed(0, &NUMBERS)?.element {
        ElementType::F64 => regressor_of::<f64>(build),
        _ => regressor_of::<f32>(build),
    }
}

fn classifier_of<T: Number>(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    let (rows, _) = table(build.input(0)?, 0)?;
    let labels = build.attributes.labels("classlabels_int64s", "classlabels_strings")?;
    let labels = labels.filter(|labels| (2..=crate::limits::CLASSES).contains(&labels.len()));
    let labels = labels
        .ok_or_else(|| value("classlabels_int64s", "or classlabels_strings needs two labels or more"))?;
    let outputs = labels.len();
    let forest = forest::<T>(build.attributes, "class", outputs)?;
    let weights = || {
        forest.nodes.iter().flat_map(|node| match node {
            crate::ops::trees::parse::Node::Leaf { weights } => weights.as_slice(),
            crate::ops::trees::parse::Node::Branch { .. } => &[],
        })
    };
    let first = weights().next().map_or(0, |(output, _)| *output);
    let one_sum = outputs == 2 && weights().all(|(output, _)| *output == first);
    let all_positive = weights().all(|(_, weight)| *weight >= T::ZERO);
    let ensemble = Ensemble::new(build.attributes, &forest, outputs, Aggregate::Sum)?;
    let one_for_both = one_sum && ensemble.base.len() == 1;
    if !ensemble.base.is_empty() && ensemble.base.len() != outputs && !one_for_both {
        return Err(value("base_values", "is not as long as there are classes"));
    }
    let facts =
        vec![label_fact(&labels, vec![rows]), Fact::new(ElementType::F32, vec![rows, Dim::known(outputs)])];
    let (steps, scratch) = ensemble.cost(rows);
    Ok(Built::new(Classifier { ensemble, labels, one_sum, all_positive }, facts)
        .with_steps(steps)
        .with_scratch(scratch))
}

fn regressor_of<T: Number>(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    let (rows, _) = table(build.input(0)?, 0)?;
    let outputs = build.attributes.integer("n_targets")?.unwrap_or(1);
    let outputs =
        usize::try_from(outputs).ok().filter(|outputs| (1..=crate::limits::CLASSES).contains(outputs));
    let outputs = outputs.ok_or_else(|| value("n_targets", "is out of range"))?;
    let aggregate = match build.attributes.text("aggregate_function")?.as_deref() {
        None | Some("SUM") => Aggregate::Sum,
        Some("AVERAGE") => Aggregate::Average,
        Some("MIN") => Aggregate::Min,
        Some("MAX") => Aggregate::Max,
        Some(_) => return Err(value("aggregate_function", "is none of SUM, AVERAGE, MIN, MAX")),
    };
    let forest = forest::<T>(build.attributes, "target", outputs)?;
    let ensemble = Ensemble::new(build.attributes, &forest, outputs, aggregate)?;
    if !matches!(ensemble.base.len(), 0) && ensemble.base.len() != outputs {
        return Err(value("base_values", "is not as long as there are targets"));
    }
    let facts = vec![Fact::new(ElementType::F32, vec![rows, Dim::known(outputs)])];
    let (steps, scratch) = ensemble.cost(rows);
    Ok(Built::new(Regressor(ensemble), facts).with_steps(steps).with_scratch(scratch))
}

impl<T: Number> Ensemble<T> {
    fn new(
        attributes: &mut crate::node::Attributes<'_>,
        forest: &Forest<T>,
        outputs: usize,
        aggregate: Aggregate,
    ) -> Result<Ensemble<T>, NodeInvalid> {
        let base = T::take(attributes, "base_values")?;
        let transform = Transform::take(attributes)?;
        let most_feature = forest.most_feature as usize;
        Ok(Ensemble { trees: Trees::new(forest), most_feature, outputs, aggregate, base, transform })
    }

    /// Steps and scratch memory for so many rows.
    fn cost(&self, rows: Dim) -> (Bound, Bound) {
        let fixed = |count: usize| Bound::fixed(count as u64);
        let walks = fixed(self.trees.count().div_ceil(super::flat::WIDTH) * super::flat::WIDTH);
        let adds = fixed(self.trees.count()).times(fixed(self.outputs));
        // A node may have to be fetched from far away.
        let nodes = walks.times(fixed(self.trees.depth())).times(fixed(4));
        let steps = nodes.plus(adds).times(rows.most);
        // Sums, whether anything was added to them, and the index of the label.
        (steps, fixed(self.outputs * (size_of::<T>() + 1) + size_of::<usize>()).times(rows.most))
    }

    fn sums<X: Copy>(
        &self,
        table: &[X],
        shape: (usize, usize),
        convert: impl Fn(X) -> T + Copy,
    ) -> Result<Sums<T>, NodeFailed> {
        let (rows, width) = shape;
        if width <= self.most_feature {
            return Err(shapes("the trees ask for more columns than there are"));
        }
        let count = rows * self.outputs;
        let mut sums = Sums { scores: vec![T::ZERO; count], touched: vec![self.trees.single(); count] };
        if self.trees.single()
            && self.outputs == 1
            && matches!(self.aggregate, Aggregate::Sum | Aggregate::Average)
        {
            self.trees.walk(table, width, convert, |row, leaf| {
                sums.scores[row] = sums.scores[row].plus(self.trees.weight(leaf));
            });
        } else if self.trees.single() && matches!(self.aggregate, Aggregate::Sum | Aggregate::Average) {
            let outputs = self.outputs;
            (0..count).filter(|index| index % outputs != 0).for_each(|index| sums.touched[index] = false);
            self.trees.walk(table, width, convert, |row, leaf| {
                let score = &mut sums.scores[row * outputs];
                *score = score.plus(self.trees.weight(leaf));
            });
        } else {
            sums.touched.fill(false);
            self.trees.walk(table, width, convert, |row, leaf| {
                let single = [(0, self.trees.weight(leaf))];
                let weights = if self.trees.single() { &single } else { self.trees.weights(leaf) };
                for (output, weight) in weights {
                    let place = row * self.outputs + *output as usize;
                    let (score, touched) = (&mut sums.scores[place], &mut sums.touched[place]);
                    *score = match self.aggregate {
                        Aggregate::Sum | Aggregate::Average => score.plus(*weight),
                        Aggregate::Min if *touched && *score <= *weight => *score,
                        Aggregate::Max if *touched && *score >= *weight => *score,
                        Aggregate::Min | Aggregate::Max => *weight,
                    };
                    *touched = true;
                }
            });
        }
        Ok(sums)
    }

    /// The scores of a regression.
    #[expect(clippy::cast_possible_truncation, reason = "a file has fewer than 2^32 trees")]
    fn regress(&self, mut sums: Sums<T>) -> Vec<f32> {
        let trees = self.trees.count() as u32;
        let rows = sums.scores.chunks_mut(self.outputs).zip(sums.touched.chunks(self.outputs));
        for (row, touched) in rows {
            for (index, (score, touched)) in row.iter_mut().zip(touched).enumerate() {
                if self.aggregate == Aggregate::Average {
                    *score = score.over(trees);
                }
                // Of several targets, one that no leaf contributed to stays zero, its base value notwithstanding.
                if let Some(base) = self.base.get(index).filter(|_| *touched || self.outputs == 1) {
                    *score = score.plus(*base);
                }
            }
        }
        let mut scores: Vec<f32> = sums.scores.into_iter().map(T::to_f32).collect();
        // A single target is transformed by PROBIT alone.
        if self.outputs > 1 || self.transform == Transform::Probit {
            scores.chunks_mut(self.outputs).for_each(|row| self.transform.apply(row));
        }
        scores
    }
}

impl<T: Number> Classifier<T> {
    /// The index of the label of each row, and the scores.
    fn classify(&self, mut sums: Sums<T>) -> (Vec<usize>, Vec<f32>) {
        let outputs = self.ensemble.outputs;
        let mut labels = Vec::with_capacity(sums.scores.len() / outputs);
        let mut scores = Vec::with_capacity(sums.scores.len());
        for (sums, touched) in sums.scores.chunks_mut(outputs).zip(sums.touched.chunks_mut(outputs)) {
            let label = match (sums, touched) {
                ([first, second], [one, other]) => self.two(&[*first, *second], &[*one, *other], &mut scores),
                (sums, touched) => self.many(sums, touched, &mut scores),
            };
            labels.push(label);
        }
        (labels, scores)
    }

    fn many(&self, sums: &mut [T], touched: &mut [bool], scores: &mut Vec<f32>) -> usize {
        for ((sum, touched), base) in sums.iter_mut().zip(touched.iter_mut()).zip(&self.ensemble.base) {
            *sum = sum.plus(*base);
            *touched = true;
        }
        let mut best: Option<(usize, T)> = None;
        for (index, (sum, _)) in
            sums.iter().zip(touched.iter()).enumerate().filter(|(_, (_, touched))| **touched)
        {
            if best.is_none_or(|(_, most)| *sum > most) {
                best = Some((index, *sum));
            }
        }
        let start = scores.len();
        scores.extend(sums.iter().map(|sum| sum.to_f32()));
        self.ensemble.transform.apply(&mut scores[start..]);
        best.map_or(0, |(index, _)| index)
    }

    /// Two classes, of which perhaps only one collects weights. A class that no leaf contributed to counts as zero,
    /// its base value notwithstanding; without base values for both, a second class like that is left to follow from
    /// the first one's sum.
    fn two(&self, sums: &[T; 2], touched: &[bool; 2], scores: &mut Vec<f32>) -> usize {
        let ([mut first, mut second], [first_touched, second_touched]) = (*sums, *touched);
        match self.ensemble.base.as_slice() {
            [_, base] if second_touched => {
                second = base.plus(first);
                first = T::ZERO.minus(second);
            }
            [base_first, base_second] => {
                first = first.plus(*base_first);
                second = second.plus(*base_second);
            }
            [base] => first = first.plus(*base),
            _ => {}
        }
        let first = if first_touched { first.to_f32() } else { 0.0 };
        let second = second_touched.then(|| second.to_f32());
        let positive = second.unwrap_or(first);
        let probability = self.one_sum && self.all_positive;
        if second_touched || self.ensemble.base.len() == 2 {
            let mut both = [first, second.unwrap_or(0.0)];
            self.ensemble.transform.apply(&mut both);
            scores.extend(both);
        } else {
            scores.extend(self.ensemble.transform.pair(positive, probability));
        }
        usize::from(positive > if probability { 0.5 } else { 0.0 })
    }
}

impl<T: Number> Ensemble<T> {
    fn run(&self, tensor: &Tensor) -> Result<Sums<T>, NodeFailed> {
        let shape = table_shape(tensor)?;
        match tensor.values() {
            Values::F32(values) => self.sums(values, shape, T::from_f32),
            Values::F64(values) => self.sums(values, shape, T::from_f64),
            Values::I64(values) => self.sums(values, shape, T::from_i64),
            Values::I32(values) => self.sums(values, shape, |x| T::from_i64(i64::from(x))),
            _ => Err(NodeFailed::Promise),
        }
    }
}

impl<T: Number> Operator for Classifier<T> {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (labels, scores) = self.classify(self.ensemble.run(input(inputs, 0)?)?);
        let rows = labels.len();
        let labels = label_tensor(&self.labels, vec![rows], labels.into_iter())?;
        Ok(vec![labels, Tensor::new(vec![rows, self.ensemble.outputs], Values::F32(scores))?])
    }
}

impl<T: Number> Operator for Regressor<T> {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let sums = self.0.run(input(inputs, 0)?)?;
        let rows = sums.scores.len() / self.0.outputs;
        Ok(vec![Tensor::new(vec![rows, self.0.outputs], Values::F32(self.0.regress(sums)))?])
    }
}
