//! Staging blobs: all tiles of one group, so that whoever opens the ledger next can finish a committed group.

use bartizan_base::{BlobName, Digest, sha256};

use crate::checkpoint::{SignedCheckpoint, parse_decimal};
use crate::edge::Tile;
use crate::tile::blob_name;

const HEADER: &[u8] = b"bartizan-ledger-staging-v1\n";

/// What the names of all staging blobs start with.
pub(crate) const PREFIX: &str = "staging/";

/// What the name of a staging blob says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StagingName {
    /// The epoch of the writer that wrote it.
    pub(crate) epoch: u64,
    /// The size of the tree that its tiles complete.
    pub(crate) size: u64,
    /// The root of that tree.
    pub(crate) root: Digest,
}

impl StagingName {
    /// The name for a group that ends at `checkpoint`.
    pub(crate) fn new(epoch: u64, checkpoint: &SignedCheckpoint) -> Self {
        Self { epoch, size: checkpoint.size(), root: checkpoint.root() }
    }

    pub(crate) fn blob_name(&self) -> BlobName {
        blob_name(&format!("{PREFIX}{}-{}-{}", self.epoch, self.size, self.root.to_hex()))
    }

    pub(crate) fn parse(name: &BlobName) -> Option<Self> {
        let mut parts = name.as_str().strip_prefix(PREFIX)?.splitn(3, '-');
        let epoch = parse_decimal(parts.next()?)?;
        let size = parse_decimal(parts.next()?)?;
        let parsed = Self { epoch, size, root: parts.next()?.parse().ok()? };
        (parsed.blob_name() == *name).then_some(parsed)
    }

    /// Whether the tiles inside complete the tree of `checkpoint`.
    pub(crate) fn completes(&self, checkpoint: &SignedCheckpoint) -> bool {
        self.size == checkpoint.size() && self.root == checkpoint.root()
    }
}

/// The bytes are not a staging blob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StagingInvalid {
    /// The digest at the end is not that of what stands before it.
    #[error("the digest at the end of the staging blob does not match")]
    Digest,
    /// The digest matches but the content is no list of tiles.
    #[error("the content of the staging blob is not a list of tiles")]
    Form,
}

/// Header; for each tile the 16-bit length of its path, the path, the 32-bit length of its bytes, the bytes;
/// then SHA-256 of all that. Integers are big-endian.
pub(crate) fn encode(tiles: &[Tile]) -> Vec<u8> {
    let mut bytes = HEADER.to_vec();
    for tile in tiles {
        let path = tile.path.to_string();
        // A path has fewer than 64 bytes and a tile fewer than 16 MiB, so the lengths always fit.
        bytes.extend_from_slice(&u16::try_from(path.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(path.as_bytes());
        bytes.extend_from_slice(&u32::try_from(tile.bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(&tile.bytes);
    }
    let digest = sha256(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Tile>, StagingInvalid> {
    let (content, digest) = bytes.split_last_chunk::<32>().ok_or(StagingInvalid::Digest)?;
    if sha256(content).as_bytes() != digest {
        return Err(StagingInvalid::Digest);
    }
    let mut rest = content.strip_prefix(HEADER).ok_or(StagingInvalid::Form)?;
    let mut tiles = Vec::new();
    while !rest.is_empty() {
        let (tile, after) = decode_tile(rest).ok_or(StagingInvalid::Form)?;
        tiles.push(tile);
        rest = after;
    }
    Ok(tiles)
}

fn decode_tile(bytes: &[u8]) -> Option<(Tile, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (path, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let path = str::from_utf8(path).ok()?.parse().ok()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (bytes, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    Some((Tile { path, bytes: bytes.to_vec() }, rest))
}
