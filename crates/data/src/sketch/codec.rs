//! The bytes of stored sketches, written and read piece by piece; `docs/formats/sketches.md` has the layouts.

const MAGIC: [u8; 3] = *b"BZS";
const VERSION: u8 = 1;

/// Bytes are not a stored sketch of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SketchInvalid {
    /// Something else, perhaps another sketch.
    #[error("not a stored sketch of {sketch}")]
    Kind {
        /// What was asked for.
        sketch: &'static str,
    },
    /// A version that this program does not know.
    #[error("version {version} of a sketch of {sketch} is not known")]
    Version {
        /// What was asked for.
        sketch: &'static str,
        /// The version found.
        version: u8,
    },
    /// The bytes end before the sketch does.
    #[error("the stored sketch of {sketch} is cut off")]
    Truncated {
        /// What was asked for.
        sketch: &'static str,
    },
    /// More bytes than the sketch has.
    #[error("bytes follow the stored sketch of {sketch}")]
    Trailing {
        /// What was asked for.
        sketch: &'static str,
    },
    /// No sketch has this content, or it is not written the one way in which it would be.
    #[error("the stored sketch of {sketch} contradicts itself: {what}")]
    Content {
        /// What was asked for.
        sketch: &'static str,
        /// What is wrong.
        what: &'static str,
    },
}

/// Which sketch it is: the fourth byte, and the name in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Moments,
    Kll,
    Hll,
    HeavyHitters,
    EdgeHistogram,
}

impl Kind {
    const fn letter(self) -> u8 {
        match self {
            Self::Moments => b'M',
            Self::Kll => b'Q',
            Self::Hll => b'D',
            Self::HeavyHitters => b'F',
            Self::EdgeHistogram => b'H',
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Moments => "moments",
            Self::Kll => "quantiles",
            Self::Hll => "distinct values",
            Self::HeavyHitters => "heavy hitters",
            Self::EdgeHistogram => "a histogram",
        }
    }
}

/// Writes numbers in little-endian order behind the header.
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn new(kind: Kind) -> Self {
        let [one, two, three] = MAGIC;
        Self { bytes: vec![one, two, three, kind.letter(), VERSION] }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn u8(&mut self, number: u8) {
        self.bytes.push(number);
    }

    pub(super) fn u16(&mut self, number: u16) {
        self.bytes(&number.to_le_bytes());
    }

    pub(super) fn u32(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    /// A length that is known to be small.
    pub(super) fn len(&mut self, len: usize) {
        self.u32(u32::try_from(len).unwrap_or(u32::MAX));
    }

    pub(super) fn u64(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    pub(super) fn u128(&mut self, number: u128) {
        self.bytes(&number.to_le_bytes());
    }

    pub(super) fn i128(&mut self, number: i128) {
        self.bytes(&number.to_le_bytes());
    }

    pub(super) fn f64(&mut self, number: f64) {
        self.bytes(&number.to_le_bytes());
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads what a [`Writer`] wrote.
pub(super) struct Reader<'a> {
    kind: Kind,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn open(kind: Kind, bytes: &'a [u8]) -> Result<Self, SketchInvalid> {
        let sketch = kind.name();
        let Some((header, rest)) = bytes.split_first_chunk::<5>() else {
            return Err(SketchInvalid::Truncated { sketch });
        };
        let [magic @ .., letter, version] = *header;
        if magic != MAGIC || letter != kind.letter() {
            return Err(SketchInvalid::Kind { sketch });
        }
        if version != VERSION {
            return Err(SketchInvalid::Version { sketch, version });
        }
        Ok(Self { kind, rest })
    }

    /// The error that says what is wrong with the content.
    pub(super) const fn wrong(&self, what: &'static str) -> SketchInvalid {
        SketchInvalid::Content { sketch: self.kind.name(), what }
    }

    pub(super) fn require(&self, holds: bool, what: &'static str) -> Result<(), SketchInvalid> {
        if holds { Ok(()) } else { Err(self.wrong(what)) }
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], SketchInvalid> {
        let Some((bytes, rest)) = self.rest.split_at_checked(len) else {
            return Err(SketchInvalid::Truncated { sketch: self.kind.name() });
        };
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const LEN: usize>(&mut self) -> Result<[u8; LEN], SketchInvalid> {
        let Some((bytes, rest)) = self.rest.split_first_chunk::<LEN>() else {
            return Err(SketchInvalid::Truncated { sketch: self.kind.name() });
        };
        self.rest = rest;
        Ok(*bytes)
    }

    pub(super) fn u8(&mut self) -> Result<u8, SketchInvalid> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, SketchInvalid> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, SketchInvalid> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A count of things of which each takes `each` bytes at least: never more than the rest has room for, so that
    /// what is made room for is bounded by what was sent.
    pub(super) fn len(&mut self, each: usize) -> Result<usize, SketchInvalid> {
        let len = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        if len > self.rest.len() / each {
            return Err(SketchInvalid::Truncated { sketch: self.kind.name() });
        }
        Ok(len)
    }

    pub(super) fn u64(&mut self) -> Result<u64, SketchInvalid> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(super) fn u128(&mut self) -> Result<u128, SketchInvalid> {
        Ok(u128::from_le_bytes(self.array()?))
    }

    pub(super) fn i128(&mut self) -> Result<i128, SketchInvalid> {
        Ok(i128::from_le_bytes(self.array()?))
    }

    /// Any number but NaN, zero without a sign.
    pub(super) fn number(&mut self) -> Result<f64, SketchInvalid> {
        let number = f64::from_le_bytes(self.array()?);
        self.require(!number.is_nan() && number.to_bits() != (-0.0_f64).to_bits(), "a number that is none")?;
        Ok(number)
    }

    /// A finite number, zero without a sign.
    pub(super) fn finite(&mut self) -> Result<f64, SketchInvalid> {
        let number = self.number()?;
        self.require(number.is_finite(), "a number that is not finite")?;
        Ok(number)
    }

    pub(super) fn end(&self) -> Result<(), SketchInvalid> {
        if self.rest.is_empty() { Ok(()) } else { Err(SketchInvalid::Trailing { sketch: self.kind.name() }) }
    }
}
