//! What a simulated disk holds: files and directories, as seen and as durable.

use std::collections::BTreeMap;

pub(super) type NodeId = u64;

/// The disk's own directory.
pub(super) const ROOT: NodeId = 0;

#[derive(Clone)]
pub(super) enum Node {
    File {
        seen: Vec<u8>,
        durable: Vec<u8>,
        /// Writes since the last sync: offset and bytes.
        pending: Vec<(usize, Vec<u8>)>,
    },
    Dir {
        seen: BTreeMap<String, NodeId>,
        durable: BTreeMap<String, NodeId>,
        /// Changes since the last sync: `None` removes the name.
        pending: Vec<(String, Option<NodeId>)>,
    },
}

impl Node {
    pub(super) fn empty_dir() -> Self {
        Self::Dir { seen: BTreeMap::new(), durable: BTreeMap::new(), pending: Vec::new() }
    }

    pub(super) fn after_crash(&self, dice: &mut Dice) -> Self {
        match self {
            Self::File { durable, pending, .. } => {
                let mut durable = durable.clone();
                for (offset, bytes) in pending {
                    let kept = match dice.roll(4) {
                        0 => continue,
                        1 => bytes.len(),
                        torn => {
                            // A file's length may reach the medium before its bytes do.
                            if torn == 3 {
                                overwrite(&mut durable, *offset, &vec![0; bytes.len()]);
                            }
                            let most = bytes.len().try_into().unwrap_or(u64::MAX);
                            usize::try_from(dice.roll(most)).unwrap_or(0)
                        }
                    };
                    overwrite(&mut durable, *offset, bytes.get(..kept).unwrap_or_default());
                }
                Self::File { seen: durable.clone(), durable, pending: Vec::new() }
            }
            Self::Dir { durable, pending, .. } => {
                let mut durable = durable.clone();
                for (name, id) in pending {
                    if dice.roll(2) == 1 {
                        apply(&mut durable, name, *id);
                    }
                }
                Self::Dir { seen: durable.clone(), durable, pending: Vec::new() }
            }
        }
    }
}

pub(super) fn apply(names: &mut BTreeMap<String, NodeId>, name: &str, id: Option<NodeId>) {
    match id {
        Some(id) => drop(names.insert(name.to_owned(), id)),
        None => drop(names.remove(name)),
    }
}

pub(super) fn overwrite(target: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset.saturating_add(bytes.len());
    if target.len() < end {
        target.resize(end, 0);
    }
    if let Some(place) = target.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014); seed 0 always
/// rolls 0.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        if self.0 == 0 || sides == 0 {
            return 0;
        }
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15).max(1);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

#[cfg(test)]
mod tests;
