//! The protocol buffers wire format, read without trust and without copying.
//!
//! <https://protobuf.dev/programming-guides/encoding/>. Groups, which nobody writes any more, are refused.

/// The bytes are not the message they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {what}")]
pub struct Malformed {
    /// Where in the file, from 0.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// The fields of one message, in the order of the file.
#[derive(Debug, Clone)]
pub(crate) struct Message<'a> {
    rest: &'a [u8],
    at: usize,
}

/// One field of a message.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    pub(crate) number: u64,
    value: Value<'a>,
    at: usize,
}

#[derive(Debug, Clone)]
enum Value<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

impl<'a> Message<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Message<'a> {
        Message { rest: bytes, at: 0 }
    }

    /// Where the next field begins.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn next(&mut self) -> Result<Option<Field<'a>>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let at = self.at;
        let key = self.varint()?;
        let number = key >> 3;
        if number == 0 || number > (1 << 29) - 1 {
            return Err(Malformed { at, what: "a field number out of range" });
        }
        let at_value = self.at;
        let (value, at) = match key & 7 {
            0 => (Value::Varint(self.varint()?), at_value),
            1 => (Value::Fixed64(self.array()?), at_value),
            2 => {
                let length = self.varint()?;
                let start = self.at;
                let length = usize::try_from(length).map_err(|_| CUT_SHORT.at(start))?;
                (Value::Bytes(self.take(length)?), start)
            }
            5 => (Value::Fixed32(self.array()?), at_value),
            _ => return Err(Malformed { at, what: "a field of a kind that is not supported" }),
        };
        Ok(Some(Field { number, value, at }))
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let at = self.at;
        let mut value = 0_u64;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            let bits = u64::from(byte & 0x7f);
            if index == 9 && bits > 1 {
                break;
            }
            value |= bits << (7 * index);
            if byte & 0x80 == 0 {
                self.take(index + 1)?;
                return Ok(value);
            }
        }
        Err(Malformed { at, what: "a number that does not end or is too large" })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let at = self.at;
        let (head, _) = self.rest.split_first_chunk::<N>().ok_or(CUT_SHORT.at(at))?;
        let head = *head;
        self.take(N)?;
        Ok(head)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(CUT_SHORT.at(self.at))?;
        self.rest = rest;
        self.at += length;
        Ok(head)
    }
}

struct CutShort;

const CUT_SHORT: CutShort = CutShort;

impl CutShort {
    fn at(&self, at: usize) -> Malformed {
        Malformed { at, what: "the file is cut short, or a length in it is wrong" }
    }
}

impl<'a> Field<'a> {
    pub(crate) fn malformed(&self, what: &'static str) -> Malformed {
        Malformed { at: self.at, what }
    }

    /// Where the field's content begins.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn integer(&self) -> Result<i64, Malformed> {
        match self.value {
            Value::Varint(value) => Ok(value.cast_signed()),
            _ => Err(self.malformed("not a number where one is expected")),
        }
    }

    pub(crate) fn float(&self) -> Result<f32, Malformed> {
        match self.value {
            Value::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err(self.malformed("not a float where one is expected")),
        }
    }

    pub(crate) fn bytes(&self) -> Result<&'a [u8], Malformed> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(self.malformed("not bytes where some are expected")),
        }
    }

    /// A name: text of a limited length.
    pub(crate) fn name(&self) -> Result<&'a str, Malformed> {
        let bytes = self.bytes()?;
        if bytes.len() > crate::limits::NAME_BYTES {
            return Err(self.malformed("a name longer than is allowed"));
        }
        std::str::from_utf8(bytes).map_err(|_| self.malformed("a name that is not text"))
    }

    pub(crate) fn message(&self) -> Result<Message<'a>, Malformed> {
        Ok(Message { rest: self.bytes()?, at: self.at })
    }

    /// Takes `count` numbers from the room that a file has for them.
    fn take_room(&self, room: &mut usize, count: usize) -> Result<(), Malformed> {
        *room = room.checked_sub(count).ok_or_else(|| self.malformed("too many numbers"))?;
        Ok(())
    }

    /// Adds one number, or a packed list of them, if there is `room`.
    pub(crate) fn integers(&self, to: &mut Vec<i64>, room: &mut usize) -> Result<(), Malformed> {
        let Value::Bytes(bytes) = self.value else {
            self.take_room(room, 1)?;
            to.push(self.integer()?);
            return Ok(());
        };
        let mut packed = Message { rest: bytes, at: self.at };
        // Every number ends with the one byte whose top bit is clear.
        let count = bytes.iter().filter(|byte| **byte & 0x80 == 0).count();
        self.take_room(room, count)?;
        to.reserve(count);
        while !packed.rest.is_empty() {
            to.push(packed.varint()?.cast_signed());
        }
        Ok(())
    }

    /// Adds one float, or a packed list of them, if there is `room`.
    pub(crate) fn floats(&self, to: &mut Vec<f32>, room: &mut usize) -> Result<(), Malformed> {
        match self.value {
            Value::Fixed32(bytes) => {
                self.take_room(room, 1)?;
                to.push(f32::from_le_bytes(bytes));
            }
            Value::Bytes(bytes) => {
                let chunks = self.chunks(bytes)?;
                self.take_room(room, chunks.len())?;
                to.extend(chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)));
            }
            _ => return Err(self.malformed("not a float where one is expected")),
        }
        Ok(())
    }

    /// Adds one double, or a packed list of them, if there is `room`.
    pub(crate) fn doubles(&self, to: &mut Vec<f64>, room: &mut usize) -> Result<(), Malformed> {
        match self.value {
            Value::Fixed64(bytes) => {
                self.take_room(room, 1)?;
                to.push(f64::from_le_bytes(bytes));
            }
            Value::Bytes(bytes) => {
                let chunks = self.chunks(bytes)?;
                self.take_room(room, chunks.len())?;
                to.extend(chunks.iter().map(|chunk| f64::from_le_bytes(*chunk)));
            }
            _ => return Err(self.malformed("not a double where one is expected")),
        }
        Ok(())
    }

    fn chunks<'b, const N: usize>(&self, bytes: &'b [u8]) -> Result<&'b [[u8; N]], Malformed> {
        match bytes.as_chunks::<N>() {
            (chunks, []) => Ok(chunks),
            _ => Err(self.malformed("a list of numbers that ends within one")),
        }
    }
}
