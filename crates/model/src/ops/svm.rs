//! `SVMClassifier` and `SVMRegressor`: kernels between a row and the support vectors, and what is made of them.
//!
//! With probabilities, those of all pairs of classes are coupled by the second method of Wu, Lin and Weng
//! ("Probability estimates for multi-class classification by pairwise coupling", 2004), as LIBSVM does it.
#![expect(
    clippy::indexing_slicing,
    reason = "all lists are held to the number of classes and vectors when built"
)]

use crate::bound::{Bound, Dim, Fact};
use crate::math;
use crate::node::{
    Attributes, Build, Built, NodeFailed, NodeInvalid, Operator, input, shapes, table, table_shape, value,
};
use crate::ops::labels::{label_fact, label_tensor};
use crate::ops::prepare::{NUMBERS, floats, floats_scratch};
use crate::ops::scores::Transform;
use crate::signature::Labels;
use crate::tensor::{ElementType, Tensor, Values};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Linear,
    Poly,
    Rbf,
    Sigmoid,
}

#[derive(Debug)]
struct Kernel {
    kind: Kind,
    gamma: f64,
    coef0: f64,
    degree: f64,
    /// The vectors one after the other.
    vectors: Vec<f32>,
    columns: usize,
}

impl Kernel {
    fn take(attributes: &mut Attributes<'_>, vectors: Vec<f32>, count: usize) -> Result<Kernel, NodeInvalid> {
        let kind = match attributes.text("kernel_type")?.as_deref() {
            None | Some("LINEAR") => Kind::Linear,
            Some("POLY") => Kind::Poly,
            Some("RBF") => Kind::Rbf,
            Some("SIGMOID") => Kind::Sigmoid,
            Some(_) => return Err(value("kernel_type", "is none of LINEAR, POLY, RBF, SIGMOID")),
        };
        let params = attributes.floats("kernel_params")?;
        let [gamma, coef0, degree] = match params.as_slice() {
            [] => [0.0; 3],
            [gamma, coef0, degree] => [f64::from(*gamma), f64::from(*coef0), f64::from(*degree)],
            _ => return Err(value("kernel_params", "are not three")),
        };
        let columns = vectors.len().checked_div(count).unwrap_or(0);
        if columns == 0 || columns * count != vectors.len() {
            return Err(value("support_vectors", "or coefficients are missing or do not go together"));
        }
        Ok(Kernel { kind, gamma, coef0, degree, vectors, columns })
    }

    fn count(&self) -> usize {
        self.vectors.len() / self.columns
    }

    fn of(&self, row: &[f32], vector: &[f32]) -> f64 {
        let pairs = row.iter().zip(vector).map(|(x, y)| (f64::from(*x), f64::from(*y)));
        if self.kind == Kind::Rbf {
            let distance = pairs.fold(0.0, |sum, (x, y)| sum + (x - y) * (x - y));
            return math::exp(-self.gamma * distance);
        }
        let product = pairs.fold(0.0, |sum, (x, y)| sum + x * y);
        match self.kind {
            Kind::Poly => libm::pow(self.gamma * product + self.coef0, self.degree),
            Kind::Sigmoid => libm::tanh(self.gamma * product + self.coef0),
            Kind::Linear | Kind::Rbf => product,
        }
    }

    fn fill(&self, row: &[f32], kernels: &mut Vec<f64>) {
        kernels.clear();
        kernels.extend(self.vectors.chunks(self.columns).map(|vector| self.of(row, vector)));
    }

    fn cost(&self, rows: Dim) -> Bound {
        rows.most.times(Bound::fixed((self.vectors.len() as u64).saturating_add(64 * self.count() as u64)))
    }

    /// The table as rows of as many columns as the vectors have.
    fn check(&self, tensor: &Tensor) -> Result<(), NodeFailed> {
        let (_, columns) = table_shape(tensor)?;
        if columns == self.columns { Ok(()) } else { Err(shapes("the vectors do not have as many columns")) }
    }
}

#[derive(Debug)]
struct Classifier {
    kernel: Kernel,
    labels: Labels,
    /// For each class where its vectors start, and how many there are; empty if there is one vector for each class.
    spans: Vec<(usize, usize)>,
    coefficients: Vec<f32>,
    rho: Vec<f32>,
    /// For each pair of classes the two parameters of its probability; empty if none are asked for.
    probabilities: Vec<(f32, f32)>,
    transform: Transform,
    all_positive: bool,
    /// Scores of each row.
    columns: usize,
}

pub(crate) fn classifier(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &NUMBERS)?;
    let (rows, _) = table(fact, 0)?;
    let attributes = build.attributes;
    let labels = attributes.labels("classlabels_ints", "classlabels_strings")?;
    let labels = labels.filter(|labels| (2..=1_000).contains(&labels.len()));
    let labels =
        labels.ok_or_else(|| value("classlabels_ints", "or classlabels_strings needs 2 to 1000 labels"))?;
    let classes = labels.len();
    let pairs = classes * (classes - 1) / 2;
    let coefficients = attributes.floats("coefficients")?;
    let (rho, vectors) = (attributes.floats("rho")?, attributes.floats("support_vectors")?);
    let (a, b) = (attributes.floats("prob_a")?, attributes.floats("prob_b")?);
    let per_class = attributes.integers("vectors_per_class")?;
    let mut spans = Vec::with_capacity(per_class.len());
    let mut start = 0_usize;
    for count in &per_class {
        let count = usize::try_from(*count).ok().filter(|count| *count <= vectors.len());
        let count = count.ok_or_else(|| value("vectors_per_class", "is out of range"))?;
        spans.push((start, count));
        start += count;
    }
    let all_positive = coefficients.iter().all(|coefficient| *coefficient >= 0.0);
    let linear = start == 0;
    let kernel = if linear {
        Kernel::take(attributes, coefficients.clone(), classes)?
    } else {
        Kernel::take(attributes, vectors, start)?
    };
    if !linear && (spans.len() != classes || coefficients.len() != start * (classes - 1) || rho.len() < pairs)
    {
        return Err(value("coefficients", "do not go with classes, vectors and rho"));
    }
    if rho.is_empty() || a.len() != b.len() || !a.is_empty() && a.len() < pairs {
        return Err(value("rho", "or the probabilities do not go with the classes"));
    }
    if linear {
        spans.clear();
    }
    let probabilities: Vec<(f32, f32)> = a.into_iter().zip(b).collect();
    let columns = if linear || !probabilities.is_empty() || classes == 2 { classes } else { pairs };
    let transform = Transform::take(attributes)?;
    let facts =
        vec![label_fact(&labels, vec![rows]), Fact::new(ElementType::F32, vec![rows, Dim::known(columns)])];
    let mut steps = kernel.cost(rows).plus(rows.most.times(Bound::fixed(coefficients.len() as u64)));
    if !probabilities.is_empty() {
        // A hundred rounds of a product of a matrix and a vector, at most, and its update.
        steps = steps.plus(rows.most.times(Bound::fixed(400 * (classes * classes) as u64)));
    }
    let small = Bound::fixed((8 * kernel.count() + 32 * classes * classes) as u64);
    let scratch = floats_scratch(fact).plus(rows.most.times(Bound::fixed(8))).plus(small);
    let classifier = Classifier {
        kernel,
        labels,
        spans,
        coefficients,
        rho,
        probabilities,
        transform,
        all_positive,
        columns,
    };
    Ok(Built::new(classifier, facts).with_steps(steps).with_scratch(scratch))
}

impl Classifier {
    /// The margins of all pairs of classes, and each class's votes.
    #[expect(clippy::cast_possible_truncation, reason = "margins are rounded to 32 bits once")]
    fn margins(&self, kernels: &[f64], margins: &mut Vec<f32>, votes: &mut [usize]) {
        margins.clear();
        votes.fill(0);
        let classes = self.labels.len();
        let sum = |row: usize, (start, count): (usize, usize)| {
            let coefficients = &self.coefficients[row * kernels.len() + start..][..count];
            let products = coefficients.iter().zip(&kernels[start..start + count]);
            products.fold(0.0, |sum, (coefficient, kernel)| sum + f64::from(*coefficient) * kernel)
        };
        for i in 0..classes {
            for j in i + 1..classes {
                let rho = f64::from(self.rho[margins.len()]);
                let margin = sum(j - 1, self.spans[i]) + sum(i, self.spans[j]) + rho;
                margins.push(margin as f32);
                votes[if margin > 0.0 { i } else { j }] += 1;
            }
        }
    }

    /// The probabilities of the classes from the margins of their pairs.
    fn couple(&self, margins: &[f32]) -> Vec<f32> {
        let classes = self.labels.len();
        let mut pairwise = vec![0.0_f64; classes * classes];
        let mut pair = 0;
        for i in 0..classes {
            for j in i + 1..classes {
                let (a, b) = self.probabilities[pair];
                let share = 1.0 - math::logistic32(margins[pair] * a + b);
                let share = f64::from(share.clamp(1e-7, 1.0 - 1e-7));
                pairwise[i * classes + j] = share;
                pairwise[j * classes + i] = 1.0 - share;
                pair += 1;
            }
        }
        couple(&pairwise, classes)
    }

    /// The index of the label of a row; its scores are added to `scores`.
    #[expect(clippy::cast_possible_truncation, reason = "scores are rounded to 32 bits once")]
    fn row(
        &self,
        kernels: &[f64],
        margins: &mut Vec<f32>,
        votes: &mut [usize],
        scores: &mut Vec<f32>,
    ) -> usize {
        let classes = self.labels.len();
        let start = scores.len();
        if self.spans.is_empty() {
            let rho = f64::from(self.rho[0]);
            scores.extend(kernels.iter().map(|kernel| (kernel + rho) as f32));
        } else {
            self.margins(kernels, margins, votes);
            if self.probabilities.is_empty() {
                scores.extend_from_slice(margins);
            } else {
                scores.extend(self.couple(margins));
            }
        }
        let own = &mut scores[start..];
        let chosen = if self.spans.is_empty() {
            let best =
                (1..own.len()).fold(0, |best, index| if own[index] > own[best] { index } else { best });
            match classes {
                2 if self.all_positive && own[best] >= 0.5 => 1,
                2 if !self.all_positive && own[best] > 0.0 => 1,
                _ => best,
            }
        } else {
            // Votes decide, also where there are probabilities.
            (1..classes).fold(0, |best, index| if votes[index] > votes[best] { index } else { best })
        };
        let margins_only = !self.spans.is_empty() && self.probabilities.is_empty();
        if margins_only && classes == 2 {
            let margin = own[0];
            let pair = self.transform.pair(margin, self.transform != Transform::None);
            scores.truncate(start);
            scores.extend(pair);
        } else {
            self.transform.apply(own);
        }
        chosen
    }
}

/// Solves for the probabilities that agree best with those of all pairs.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "classes are few; rounded once"
)]
fn couple(pairwise: &[f64], classes: usize) -> Vec<f32> {
    let at = |i: usize, j: usize| i * classes + j;
    let mut q = vec![0.0; classes * classes];
    for i in 0..classes {
        for j in (0..classes).filter(|j| *j != i) {
            q[at(i, i)] += pairwise[at(j, i)] * pairwise[at(j, i)];
            q[at(i, j)] = -pairwise[at(j, i)] * pairwise[at(i, j)];
        }
    }
    let mut p = vec![1.0 / classes as f64; classes];
    let mut qp = vec![0.0; classes];
    for _ in 0..100 {
        for i in 0..classes {
            qp[i] = (0..classes).fold(0.0, |sum, j| sum + q[at(i, j)] * p[j]);
        }
        let mut pqp = p.iter().zip(&qp).fold(0.0, |sum, (p, qp)| sum + p * qp);
        let worst = qp.iter().fold(0.0_f64, |worst, qp| worst.max((qp - pqp).abs()));
        if worst < 0.005 / classes as f64 {
            break;
        }
        for i in 0..classes {
            let change = (pqp - qp[i]) / q[at(i, i)];
            p[i] += change;
            pqp = (pqp + change * (change * q[at(i, i)] + 2.0 * qp[i])) / (1.0 + change) / (1.0 + change);
            for j in 0..classes {
                qp[j] = (qp[j] + change * q[at(i, j)]) / (1.0 + change);
                p[j] /= 1.0 + change;
            }
        }
    }
    p.into_iter().map(|p| p as f32).collect()
}

impl Operator for Classifier {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let tensor = input(inputs, 0)?;
        self.kernel.check(tensor)?;
        let (mut kernels, mut margins, mut votes) = (Vec::new(), Vec::new(), vec![0; self.labels.len()]);
        let (rows, _) = table_shape(tensor)?;
        let mut chosen = Vec::with_capacity(rows);
        // One sum of two classes is written before it becomes two scores.
        let mut scores = Vec::with_capacity(rows * self.columns);
        for row in floats(tensor)?.chunks(self.kernel.columns) {
            self.kernel.fill(row, &mut kernels);
            chosen.push(self.row(&kernels, &mut margins, &mut votes, &mut scores));
        }
        Ok(vec![
            label_tensor(&self.labels, vec![rows], chosen.into_iter())?,
            Tensor::new(vec![rows, self.columns], Values::F32(scores))?,
        ])
    }
}

#[derive(Debug)]
struct Regressor {
    kernel: Kernel,
    /// One for each vector; a single vector, whose kernel is the result, has none.
    coefficients: Vec<f32>,
    rho: f32,
    /// Whether only the sign is asked for.
    one_class: bool,
}

pub(crate) fn regressor(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.typed(0, &NUMBERS)?;
    let (rows, _) = table(fact, 0)?;
    let attributes = build.attributes;
    let coefficients = attributes.floats("coefficients")?;
    let vectors = attributes.floats("support_vectors")?;
    let count = attributes.integer("n_supports")?.unwrap_or(0);
    let count = usize::try_from(count).map_err(|_| value("n_supports", "is negative"))?;
    let rho = attributes.floats("rho")?.first().copied().ok_or_else(|| value("rho", "is missing"))?;
    let one_class = attributes.flag("one_class", false)?;
    if Transform::take(attributes)? != Transform::None {
        return Err(value("post_transform", "is not supported here"));
    }
    let (kernel, coefficients) = if count == 0 {
        (Kernel::take(attributes, coefficients, 1)?, Vec::new())
    } else {
        (Kernel::take(attributes, vectors, count)?, coefficients)
    };
    if !matches!(coefficients.len(), 0) && coefficients.len() != count || count > 0 && coefficients.is_empty()
    {
        return Err(value("coefficients", "do not go with the vectors"));
    }
    let steps = kernel.cost(rows);
    let scratch = floats_scratch(fact).plus(Bound::fixed(8 * kernel.count() as u64));
    let output = Fact::new(ElementType::F32, vec![rows, Dim::known(1)]);
    let regressor = Regressor { kernel, coefficients, rho, one_class };
    Ok(Built::new(regressor, vec![output]).with_steps(steps).with_scratch(scratch))
}

impl Operator for Regressor {
    #[expect(clippy::cast_possible_truncation, reason = "results are rounded to 32 bits once")]
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let tensor = input(inputs, 0)?;
        self.kernel.check(tensor)?;
        let mut kernels = Vec::new();
        let mut results = Vec::with_capacity(table_shape(tensor)?.0);
        for row in floats(tensor)?.chunks(self.kernel.columns) {
            self.kernel.fill(row, &mut kernels);
            let weighted = kernels.iter().zip(&self.coefficients);
            let sum = if self.coefficients.is_empty() {
                kernels.iter().sum()
            } else {
                weighted.fold(0.0, |sum, (kernel, weight)| sum + kernel * f64::from(*weight))
            };
            let result = (sum + f64::from(self.rho)) as f32;
            results.push(if !self.one_class {
                result
            } else if result > 0.0 {
                1.0
            } else {
                -1.0
            });
        }
        Ok(vec![Tensor::new(vec![results.len(), 1], Values::F32(results))?])
    }
}
