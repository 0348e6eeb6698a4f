//! What of Parquet's metadata is looked at before a decoder sees it: how much it asks for.
//!
//! Metadata is Thrift in the compact protocol ("Thrift Compact protocol encoding", Apache Thrift). The schema is a
//! flat list in which each element says how many of the following are its children, so a short list can nest
//! without end; and the header of a page says how large the page will be.

use crate::limits::DEPTH;

/// Structures within structures that are skipped.
const SKIP_DEPTH: usize = 24;

/// What a footer holds, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Footer {
    /// Elements of the schema.
    pub(super) elements: u64,
    /// How deep they nest.
    pub(super) depth: usize,
    /// Row groups.
    pub(super) row_groups: u64,
}

/// What the header of a page says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PageHeader {
    /// Bytes of the page in the file.
    pub(super) compressed: i64,
    /// Bytes of the page once decompressed.
    pub(super) uncompressed: i64,
    /// Values it says to hold.
    pub(super) values: i64,
}

/// Looks over `FileMetaData`: field 2 is the schema, field 4 the row groups.
pub(super) fn footer(bytes: &[u8]) -> Option<Footer> {
    let mut input = Input { bytes };
    let mut footer = Footer::default();
    input.fields(0, |input, field, kind| {
        match (field, kind) {
            (2, Kind::List) => {
                let (kind, count) = input.list()?;
                footer.elements = count;
                footer.depth = schema_depth(input, kind, count)?;
            }
            (4, Kind::List) => {
                let (kind, count) = input.list()?;
                footer.row_groups = count;
                for _ in 0..count {
                    input.skip(kind, 1)?;
                }
            }
            _ => input.skip(kind, 1)?,
        }
        Some(())
    })?;
    Some(footer)
}

/// Looks over a `PageHeader`: fields 2 and 3 are its sizes, 5, 7 and 8 say more by kind of page.
pub(super) fn page_header(bytes: &[u8]) -> Option<PageHeader> {
    let mut input = Input { bytes };
    let mut header = PageHeader::default();
    input.fields(0, |input, field, kind| {
        match (field, kind) {
            (2, Kind::Int) => header.uncompressed = input.int()?,
            (3, Kind::Int) => header.compressed = input.int()?,
            (5 | 7 | 8, Kind::Struct) => input.fields(1, |input, field, kind| {
                match (field, kind) {
                    (1, Kind::Int) => header.values = input.int()?,
                    _ => input.skip(kind, 2)?,
                }
                Some(())
            })?,
            _ => input.skip(kind, 1)?,
        }
        Some(())
    })?;
    Some(header)
}

/// Field 5 of a `SchemaElement` says how many children it has.
fn schema_depth(input: &mut Input<'_>, kind: Kind, count: u64) -> Option<usize> {
    // Children that are still to come, for each level that is open.
    let mut open: Vec<u64> = Vec::new();
    let mut deepest = 0;
    for _ in 0..count {
        if kind != Kind::Struct {
            return None;
        }
        let mut children = 0;
        input.fields(1, |input, field, kind| {
            match (field, kind) {
                (5, Kind::Int) => children = u64::try_from(input.int()?).ok()?,
                _ => input.skip(kind, 2)?,
            }
            Some(())
        })?;
        if let Some(left) = open.last_mut() {
            *left = left.checked_sub(1)?;
        }
        if children > 0 {
            open.push(children);
            deepest = deepest.max(open.len());
            // What nests without end is told by this already.
            if deepest > 4 * DEPTH {
                return Some(deepest);
            }
        }
        while open.last() == Some(&0) {
            open.pop();
        }
    }
    Some(deepest)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    True,
    False,
    Byte,
    Int,
    Double,
    Binary,
    List,
    Map,
    Struct,
    Uuid,
}

impl Kind {
    fn of(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::True,
            2 => Self::False,
            3 => Self::Byte,
            4..=6 => Self::Int,
            7 => Self::Double,
            8 => Self::Binary,
            9 | 10 => Self::List,
            11 => Self::Map,
            12 => Self::Struct,
            13 => Self::Uuid,
            _ => return None,
        })
    }

    /// In lists and maps both codes of a truth value take a byte: every element takes one, so none go on without end.
    fn of_element(code: u8) -> Option<Self> {
        if matches!(code, 1 | 2) { Some(Self::Byte) } else { Self::of(code) }
    }
}

struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*byte)
    }

    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(usize::try_from(count).ok()?)?;
        self.bytes = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn int(&mut self) -> Option<i64> {
        let zigzag = self.varint()?;
        let magnitude = i64::try_from(zigzag >> 1).ok()?;
        Some(if zigzag & 1 == 0 { magnitude } else { -magnitude - 1 })
    }

    fn list(&mut self) -> Option<(Kind, u64)> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => self.varint()?,
            few => u64::from(few),
        };
        // An empty list may name no kind.
        let kind = match (header & 0x0F, count) {
            (0, 0) => Kind::Byte,
            (code, _) => Kind::of_element(code)?,
        };
        Some((kind, count))
    }

    /// Shows each field of a structure, which `each` has to take.
    fn fields(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&mut Self, i64, Kind) -> Option<()>,
    ) -> Option<()> {
        if depth > SKIP_DEPTH {
            return None;
        }
        let mut last = 0_i64;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Some(());
            }
            last = match header >> 4 {
                0 => self.int()?,
                step => last.checked_add(i64::from(step))?,
            };
            each(self, last, Kind::of(header & 0x0F)?)?;
        }
    }

    fn skip(&mut self, kind: Kind, depth: usize) -> Option<()> {
        match kind {
            Kind::True | Kind::False => {}
            Kind::Byte => {
                self.byte()?;
            }
            Kind::Int => {
                self.varint()?;
            }
            Kind::Double => {
                self.take(8)?;
            }
            Kind::Uuid => {
                self.take(16)?;
            }
            Kind::Binary => {
                let length = self.varint()?;
                self.take(length)?;
            }
            Kind::Struct => self.fields(depth, |input, _, kind| input.skip(kind, depth + 1))?,
            Kind::List => {
                if depth > SKIP_DEPTH {
                    return None;
                }
                let (kind, count) = self.list()?;
                for _ in 0..count {
                    self.skip(kind, depth + 1)?;
                }
            }
            Kind::Map => {
                if depth > SKIP_DEPTH {
                    return None;
                }
                let count = self.varint()?;
                if count > 0 {
                    let kinds = self.byte()?;
                    let (key, value) = (Kind::of_element(kinds >> 4)?, Kind::of_element(kinds & 0x0F)?);
                    for _ in 0..count {
                        self.skip(key, depth + 1)?;
                        self.skip(value, depth + 1)?;
                    }
                }
            }
        }
        Some(())
    }
}
