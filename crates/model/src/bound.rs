//! Upper bounds that hold for any number of rows: what makes memory and work provable before a call begins.
//!
//! A [`Bound`] is a line, `fixed + per_row * rows`. Where two dimensions both grow with the rows, their product
//! would be a parabola; since a call has at most `R = limits::ROWS` rows, `rows * rows <= R * rows`, and the line
//! through that is used instead. So every bound stays a line and stays true. All arithmetic saturates, and what
//! has saturated is larger than every limit.

use crate::limits::ROWS;
use crate::tensor::{ElementType, Tensor};

/// At most `fixed + per_row * rows`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bound {
    /// What does not depend on the rows.
    pub fixed: u64,
    /// What every row adds.
    pub per_row: u64,
}

impl Bound {
    /// A bound that does not depend on the rows.
    pub(crate) const fn fixed(fixed: u64) -> Bound {
        Bound { fixed, per_row: 0 }
    }

    /// What it comes to for this many rows.
    pub fn at(self, rows: u64) -> u64 {
        self.per_row.saturating_mul(rows).saturating_add(self.fixed)
    }

    pub(crate) fn plus(self, other: Bound) -> Bound {
        Bound {
            fixed: self.fixed.saturating_add(other.fixed),
            per_row: self.per_row.saturating_add(other.per_row),
        }
    }

    pub(crate) fn minus(self, other: Bound) -> Bound {
        Bound {
            fixed: self.fixed.saturating_sub(other.fixed),
            per_row: self.per_row.saturating_sub(other.per_row),
        }
    }

    pub(crate) fn times(self, other: Bound) -> Bound {
        let both = self.per_row.saturating_mul(other.per_row).saturating_mul(ROWS as u64);
        let crossed = self.fixed.saturating_mul(other.per_row);
        let crossed = crossed.saturating_add(self.per_row.saturating_mul(other.fixed));
        Bound { fixed: self.fixed.saturating_mul(other.fixed), per_row: crossed.saturating_add(both) }
    }

    pub(crate) fn max(self, other: Bound) -> Bound {
        Bound { fixed: self.fixed.max(other.fixed), per_row: self.per_row.max(other.per_row) }
    }

    /// The most rows for which it stays within `limit`.
    pub(crate) fn rows_within(self, limit: u64) -> u64 {
        match limit.checked_sub(self.fixed) {
            None => 0,
            Some(room) => room.checked_div(self.per_row).unwrap_or(u64::MAX),
        }
    }
}

/// What is known of one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dim {
    /// It is never longer than this.
    pub(crate) most: Bound,
    /// Whether it always is exactly that.
    pub(crate) exact: bool,
}

impl Dim {
    /// As many as there are rows.
    pub(crate) const ROWS: Dim = Dim { most: Bound { fixed: 0, per_row: 1 }, exact: true };

    pub(crate) fn known(length: usize) -> Dim {
        Dim { most: Bound::fixed(length as u64), exact: true }
    }

    pub(crate) fn at_most(most: Bound) -> Dim {
        Dim { most, exact: false }
    }

    /// Its length, if that is always the same.
    pub(crate) fn length(self) -> Option<usize> {
        let fixed = self.exact && self.most.per_row == 0;
        fixed.then(|| usize::try_from(self.most.fixed).ok()).flatten()
    }

    pub(crate) fn plus(self, other: Dim) -> Dim {
        Dim { most: self.most.plus(other.most), exact: self.exact && other.exact }
    }

    /// The product; exact only if it is a line by itself and not a line above a parabola.
    pub(crate) fn times(self, other: Dim) -> Dim {
        let straight = self.most.per_row == 0 || other.most.per_row == 0;
        Dim { most: self.most.times(other.most), exact: self.exact && other.exact && straight }
    }
}

/// What is known of a value before a call: its type exactly, its dimensions at most.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) element: ElementType,
    pub(crate) dims: Vec<Dim>,
    /// The value itself, if it is the same in every call.
    pub(crate) constant: Option<Tensor>,
    /// For a short list of integers that describes a shape: its elements, where none can be negative.
    pub(crate) values: Option<Vec<Dim>>,
}

impl Fact {
    pub(crate) fn new(element: ElementType, dims: Vec<Dim>) -> Fact {
        Fact { element, dims, constant: None, values: None }
    }

    pub(crate) fn constant(tensor: Tensor) -> Fact {
        let dims = tensor.shape().iter().map(|dim| Dim::known(*dim)).collect();
        let lengths = tensor.as_i64().filter(|values| values.len() <= crate::limits::SHAPE_VALUES);
        let values = lengths.and_then(|values| {
            values.iter().map(|value| usize::try_from(*value).ok().map(Dim::known)).collect()
        });
        Fact { element: tensor.element(), dims, values, constant: Some(tensor) }
    }

    /// The product of the dimensions.
    pub(crate) fn count(&self) -> Dim {
        product(&self.dims)
    }

    /// Elements at most.
    pub(crate) fn elements(&self) -> Bound {
        self.count().most
    }

    /// Elements at most, a dimension of none counted as one: turns that loops over some of the dimensions take, also
    /// where another dimension leaves nothing to do in them.
    pub(crate) fn turns(&self) -> Bound {
        let longest = |dim: &Dim| if dim.most == Bound::default() { Bound::fixed(1) } else { dim.most };
        self.dims.iter().map(longest).fold(Bound::fixed(1), Bound::times)
    }

    /// Steps of reading every text to its end, if it holds texts: each may be as long as a text can be.
    pub(crate) fn text_steps(&self) -> Bound {
        match self.element {
            ElementType::Text => self.elements().times(Bound::fixed(crate::limits::TEXT_BYTES as u64 / 2)),
            _ => Bound::default(),
        }
    }

    /// Steps of looking every element up in a map, which may lie anywhere in memory.
    pub(crate) fn lookup_steps(&self) -> Bound {
        self.text_steps().plus(self.elements().times(Bound::fixed(64)))
    }

    /// Bytes at most.
    pub(crate) fn bytes(&self) -> Bound {
        self.elements().times(Bound::fixed(self.element.bytes()))
    }
}

pub(crate) fn product(dims: &[Dim]) -> Dim {
    dims.iter().fold(Dim::known(1), |product, dim| product.times(*dim))
}
