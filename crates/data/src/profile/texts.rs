//! What a profile knows of the text of a column: how long it is, and what shapes it has.

use crate::cell;
use crate::sketch::HeavyHitters;

/// Classes of lengths: 0, 1, 2 to 3, 4 to 7, and so on.
pub(super) const LENGTH_CLASSES: usize = 33;

/// Shapes that are told apart, and the bytes they take.
const SHAPES: (usize, usize) = (128, 8 * 1024);

/// Lengths and shapes.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    pub(super) lengths: Option<(u64, u64)>,
    /// Characters of all texts together.
    pub(super) characters: u64,
    /// How many texts have a length in each class.
    pub(super) classes: [u64; LENGTH_CLASSES],
    /// Made with the first text whose shape is counted.
    pub(super) shapes: Option<Box<HeavyHitters>>,
}

impl Texts {
    pub(super) const fn new() -> Self {
        Self { lengths: None, characters: 0, classes: [0; LENGTH_CLASSES], shapes: None }
    }

    /// Takes one text so many times.
    #[inline]
    pub(super) fn length(&mut self, text: &[u8], count: u64) {
        let length = cell::length(text) as u64;
        let (shortest, longest) = self.lengths.unwrap_or((length, length));
        self.lengths = Some((shortest.min(length), longest.max(length)));
        self.characters = self.characters.saturating_add(length.saturating_mul(count));
        let class = (u64::BITS - length.leading_zeros()) as usize;
        if let Some(class) = self.classes.get_mut(class.min(LENGTH_CLASSES - 1)) {
            *class += count;
        }
    }

    /// Counts a shape so many times.
    pub(super) fn shape(&mut self, shape: &[u8], count: u64) {
        self.shapes.get_or_insert_with(|| Box::new(new_shapes())).add(shape, count);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.lengths = super::column::widest(self.lengths, other.lengths);
        self.characters = self.characters.saturating_add(other.characters);
        self.classes.iter_mut().zip(other.classes).for_each(|(mine, theirs)| *mine += theirs);
        match (&mut self.shapes, &other.shapes) {
            (Some(mine), Some(theirs)) => {
                // Counts are held to a limit by the profile, and the parameters are always the same.
                mine.merge(theirs).ok();
            }
            (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
            (_, None) => {}
        }
    }
}

pub(super) fn new_shapes() -> HeavyHitters {
    super::distinct::hitters(SHAPES)
}
