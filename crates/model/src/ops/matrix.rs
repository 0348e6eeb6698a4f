//! Products of matrices: `MatMul`, `Gemm`. Added in 64 bits along the shared dimension, rounded once.
#![expect(clippy::indexing_slicing, reason = "shapes are compared before anything is multiplied")]

use crate::bound::{Bound, Dim, Fact};
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, input, shapes};
use crate::ops::arithmetic::{broadcast_dims, broadcast_shape};
use crate::ops::layout::{advance, broadcast_steps, strides};
use crate::tensor::{ElementType, Tensor, Values, elements};

const FLOATS: [ElementType; 2] = [ElementType::F32, ElementType::F64];

/// A number that is multiplied and added in 64 bits.
trait Real: Copy {
    fn wide(self) -> f64;
    fn narrow(sum: f64) -> Self;
}

impl Real for f32 {
    fn wide(self) -> f64 {
        f64::from(self)
    }
    #[expect(clippy::cast_possible_truncation, reason = "sums are rounded to 32 bits once")]
    fn narrow(sum: f64) -> f32 {
        sum as f32
    }
}

impl Real for f64 {
    fn wide(self) -> f64 {
        self
    }
    fn narrow(sum: f64) -> f64 {
        sum
    }
}

/// A matrix within a tensor: where it starts, and how far apart rows and columns are.
#[derive(Clone, Copy)]
struct View<'t, T> {
    values: &'t [T],
    rows: usize,
    columns: usize,
}

/// Adds `scale * left[i, k] * right[k, j]` over k, for all i and j.
fn multiply<T: Real>(left: View<'_, T>, right: View<'_, T>, shape: [usize; 3], sums: &mut [f64]) {
    let [height, depth, width] = shape;
    for i in 0..height {
        let sums = &mut sums[i * width..(i + 1) * width];
        for k in 0..depth {
            let factor = left.values[i * left.rows + k * left.columns].wide();
            let start = k * right.rows;
            if right.columns == 1 {
                for (sum, x) in sums.iter_mut().zip(&right.values[start..start + width]) {
                    *sum += factor * x.wide();
                }
            } else {
                for (j, sum) in sums.iter_mut().enumerate() {
                    *sum += factor * right.values[start + j * right.columns].wide();
                }
            }
        }
    }
}

#[derive(Debug)]
struct MatMul;

pub(crate) fn matmul(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(2, 2)?;
    let (left, right) = (build.typed(0, &FLOATS)?, build.typed(1, &FLOATS)?);
    if left.element != right.element {
        return Err(NodeInvalid::Element { index: 1, element: right.element });
    }
    let (Some((depth, before_left)), [.., right_depth, width]) =
        (left.dims.split_last(), right.dims.as_slice())
    else {
        return Err(NodeInvalid::Rank { index: 1, rank: right.dims.len() });
    };
    let Some((height, batch_left)) = before_left.split_last() else {
        return Err(NodeInvalid::Rank { index: 0, rank: 1 });
    };
    if depth.length().zip(right_depth.length()).is_some_and(|(left, right)| left != right) {
        return Err(NodeInvalid::Disagree { what: "the matrices do not go together" });
    }
    let batch = broadcast_dims(batch_left, &right.dims[..right.dims.len() - 2])?;
    let dims = batch.into_iter().chain([*height, *width]).collect();
    let output = Fact::new(left.element, dims);
    let steps = output.elements().times(depth.most);
    let scratch = output.elements().times(Bound::fixed(8));
    Ok(Built::new(MatMul, vec![output]).with_steps(steps).with_scratch(scratch))
}

impl MatMul {
    fn of<T: Real>(
        left: (&[T], &[usize]),
        right: (&[T], &[usize]),
    ) -> Result<(Vec<T>, Vec<usize>), NodeFailed> {
        let (batch_left, batch_right) = (&left.1[..left.1.len() - 2], &right.1[..right.1.len() - 2]);
        let [height, depth] = [left.1[left.1.len() - 2], left.1[left.1.len() - 1]];
        let [right_depth, width] = [right.1[right.1.len() - 2], right.1[right.1.len() - 1]];
        if depth != right_depth {
            return Err(shapes("the matrices do not go together"));
        }
        let batch = broadcast_shape(batch_left, batch_right)?;
        let count = elements(&batch).ok_or(shapes("the result is too large"))?;
        let steps = [(left.1, height * depth), (right.1, depth * width)].map(|(shape, size)| {
            let steps = broadcast_steps(&shape[..shape.len() - 2], batch.len());
            steps.into_iter().map(|step| step * size).collect::<Vec<_>>()
        });
        let mut sums = vec![0.0; count * height * width];
        let mut position = vec![0; batch.len()];
        if height * width > 0 {
            for sums in sums.chunks_mut(height * width) {
                let start =
                    |steps: &[usize]| position.iter().zip(steps).map(|(at, step)| at * step).sum::<usize>();
                let left = View { values: &left.0[start(&steps[0])..], rows: depth, columns: 1 };
                let right = View { values: &right.0[start(&steps[1])..], rows: width, columns: 1 };
                multiply(left, right, [height, depth, width], sums);
                advance(&mut position, &batch);
            }
        }
        let shape = batch.into_iter().chain([height, width]).collect();
        Ok((sums.into_iter().map(T::narrow).collect(), shape))
    }
}

impl Operator for MatMul {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (left, right) = (input(inputs, 0)?, input(inputs, 1)?);
        let (values, shape) = match (left.values(), right.values()) {
            (Values::F32(l), Values::F32(r)) => {
                let (values, shape) = Self::of((l, left.shape()), (r, right.shape()))?;
                (Values::F32(values), shape)
            }
            (Values::F64(l), Values::F64(r)) => {
                let (values, shape) = Self::of((l, left.shape()), (r, right.shape()))?;
                (Values::F64(values), shape)
            }
            _ => return Err(NodeFailed::Promise),
        };
        Ok(vec![Tensor::new(shape, values)?])
    }
}

#[derive(Debug)]
struct Gemm {
    alpha: f64,
    beta: f64,
    /// Whether the first and the second matrix are transposed.
    transposed: [bool; 2],
}

/// `Gemm`: `alpha * A * B + beta * C`.
pub(crate) fn gemm(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(2, 3)?;
    let (left, right) = (build.typed(0, &FLOATS)?, build.typed(1, &FLOATS)?);
    let alpha = f64::from(build.attributes.float("alpha")?.unwrap_or(1.0));
    let beta = f64::from(build.attributes.float("beta")?.unwrap_or(1.0));
    let transposed = [build.attributes.flag("transA", false)?, build.attributes.flag("transB", false)?];
    let matrix = |index: usize, fact: &Fact| match (fact.dims.as_slice(), transposed.get(index)) {
        ([rows, columns], Some(false)) => Ok((*rows, *columns)),
        ([rows, columns], _) => Ok((*columns, *rows)),
        (dims, _) => Err(NodeInvalid::Rank { index, rank: dims.len() }),
    };
    let ((height, depth), (right_depth, width)) = (matrix(0, left)?, matrix(1, right)?);
    if left.element != right.element {
        return Err(NodeInvalid::Element { index: 1, element: right.element });
    }
    if depth.length().zip(right_depth.length()).is_some_and(|(left, right)| left != right) {
        return Err(NodeInvalid::Disagree { what: "the matrices do not go together" });
    }
    let dims: Vec<Dim> = vec![height, width];
    if let Some(add) = build.optional(2) {
        if add.element != left.element {
            return Err(NodeInvalid::Element { index: 2, element: add.element });
        }
        if add.dims.len() > 2 {
            return Err(NodeInvalid::Rank { index: 2, rank: add.dims.len() });
        }
    }
    let output = Fact::new(left.element, dims);
    let steps = output.elements().times(depth.most);
    let scratch = output.elements().times(Bound::fixed(8));
    Ok(Built::new(Gemm { alpha, beta, transposed }, vec![output]).with_steps(steps).with_scratch(scratch))
}

impl Gemm {
    fn of<T: Real>(
        &self,
        matrices: [(&[T], &[usize]); 2],
        add: Option<(&[T], &[usize])>,
    ) -> Result<(Vec<T>, Vec<usize>), NodeFailed> {
        let mut sizes = [[0; 2]; 2];
        let mut views = [None, None];
        for (index, (values, shape)) in matrices.iter().enumerate() {
            let [rows, columns] = [shape[0], shape[1]];
            let (size, view) = if self.transposed[index] {
                ([columns, rows], View { values, rows: 1, columns })
            } else {
                ([rows, columns], View { values, rows: columns, columns: 1 })
            };
            sizes[index] = size;
            views[index] = Some(view);
        }
        let [[height, depth], [right_depth, width]] = sizes;
        let [Some(left), Some(right)] = views else { return Err(NodeFailed::Promise) };
        if depth != right_depth {
            return Err(shapes("the matrices do not go together"));
        }
        let mut sums = vec![0.0; height * width];
        multiply(left, right, [height, depth, width], &mut sums);
        sums.iter_mut().for_each(|sum| *sum *= self.alpha);
        let shape = vec![height, width];
        if let Some((values, add_shape)) = add {
            // By nought nothing is added, not even what is no number.
            let add_nothing = self.beta == 0.0;
            if broadcast_shape(&shape, add_shape)? != shape {
                return Err(shapes("what is added does not go with the product"));
            }
            let steps = broadcast_steps(add_shape, 2);
            let places = strides(&shape);
            for (index, sum) in sums.iter_mut().enumerate().filter(|_| !add_nothing) {
                let (row, column) = (index / places[0], index % places[0]);
                *sum += self.beta * values[row * steps[0] + column * steps[1]].wide();
            }
        }
        Ok((sums.into_iter().map(T::narrow).collect(), shape))
    }
}

impl Operator for Gemm {
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let (left, right) = (input(inputs, 0)?, input(inputs, 1)?);
        let add = inputs.get(2).copied().flatten();
        let (values, shape) = match (left.values(), right.values()) {
            (Values::F32(l), Values::F32(r)) => {
                let add = add
                    .map(|add| add.as_f32().map(|values| (values, add.shape())).ok_or(NodeFailed::Promise));
                let (values, shape) = self.of([(l, left.shape()), (r, right.shape())], add.transpose()?)?;
                (Values::F32(values), shape)
            }
            (Values::F64(l), Values::F64(r)) => {
                let add = add
                    .map(|add| add.as_f64().map(|values| (values, add.shape())).ok_or(NodeFailed::Promise));
                let (values, shape) = self.of([(l, left.shape()), (r, right.shape())], add.transpose()?)?;
                (Values::F64(values), shape)
            }
            _ => return Err(NodeFailed::Promise),
        };
        Ok(vec![Tensor::new(shape, values)?])
    }
}
