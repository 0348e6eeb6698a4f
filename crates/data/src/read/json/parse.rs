//! One line of JSON (RFC 8259), without a tree in between: values go to their columns as they are read.

use super::columns::Tree;
use crate::cell::{self, Value};
use crate::limits::{CELL_BYTES, DEPTH};

type Parsed<T> = Result<T, &'static str>;

pub(super) struct Parser<'a> {
    line: &'a [u8],
    at: usize,
    /// Where the line begins in its piece, and where what is unescaped begins behind the piece.
    begin: usize,
    raw: usize,
    unescaped: &'a mut Vec<u8>,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(line: &'a [u8], begin: usize, raw: usize, unescaped: &'a mut Vec<u8>) -> Self {
        Self { line, at: 0, begin, raw, unescaped, depth: 0 }
    }

    /// Bytes of the line that were read.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// The line's object and nothing after it.
    pub(super) fn line(&mut self, tree: &mut Tree) -> Parsed<()> {
        if let Err(error) = str::from_utf8(self.line) {
            self.at = error.valid_up_to();
            return Err("the line is not UTF-8");
        }
        if self.line.starts_with(b"\xEF\xBB\xBF") {
            self.at = 3;
        }
        self.space();
        match self.peek() {
            Some(b'{') => {}
            Some(b'[') => return Err("a list where an object is expected: one object a line makes a row"),
            _ => return Err("a row is an object, `{`"),
        }
        tree.row();
        self.value(tree, Tree::ROOT)?;
        self.space();
        if self.at < self.line.len() { Err("something follows the object") } else { Ok(()) }
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, otherwise: &'static str) -> Parsed<()> {
        if self.peek() != Some(byte) {
            return Err(otherwise);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, tree: &mut Tree, node: usize) -> Parsed<()> {
        match self.peek() {
            Some(b'{') => self.object(tree, node),
            Some(b'[') => self.list(tree, node),
            Some(b'"') => {
                let span = self.string()?;
                let text = self.text(span);
                if text.len() > CELL_BYTES {
                    return Err("the text is longer than the 256 KiB allowed");
                }
                tree.value(node, span, cell::typed_text(text));
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => self.number(tree, node),
            Some(b't') => self.word(b"true", tree, node, Value::Boolean),
            Some(b'f') => self.word(b"false", tree, node, Value::Boolean),
            Some(b'n') => self.word(b"null", tree, node, Value::Null),
            Some(_) => Err("no JSON value begins like this"),
            None => Err("the line ends where a value is expected"),
        }
    }

    fn object(&mut self, tree: &mut Tree, node: usize) -> Parsed<()> {
        self.enter()?;
        let object = tree.object();
        let mut hint = 0;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            self.depth -= 1;
            return Ok(());
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err("a key in quotes is expected");
            }
            let place = self.at;
            let key = self.string()?;
            let child = tree.key(node, self.text(key), object, hint).inspect_err(|_| self.at = place)?;
            hint += 1;
            self.space();
            self.expect(b':', "a colon is expected after the key")?;
            self.space();
            self.value(tree, child)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                None => return Err("the line ends within an object; was the file cut off?"),
                Some(_) => return Err("a comma or `}` is expected"),
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    fn list(&mut self, tree: &mut Tree, node: usize) -> Parsed<()> {
        self.enter()?;
        let begin = self.begin + self.at - 1;
        let elements = tree.elements(node);
        let mut length = 0_u32;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                self.space();
                tree.element(elements);
                length = length.saturating_add(1);
                self.value(tree, elements)?;
                self.space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break,
                    None => return Err("the line ends within a list; was the file cut off?"),
                    Some(_) => return Err("a comma or `]` is expected"),
                }
            }
            self.at += 1;
        }
        self.depth -= 1;
        tree.value(node, (begin, begin), Value::List(length));
        Ok(())
    }

    fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("values nest deeper than the 32 levels allowed");
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &[u8], tree: &mut Tree, node: usize, value: Value) -> Parsed<()> {
        if !self.line.get(self.at..).unwrap_or_default().starts_with(word) {
            return Err("no JSON value begins like this");
        }
        let begin = self.begin + self.at;
        self.at += word.len();
        tree.value(node, (begin, begin + word.len()), value);
        Ok(())
    }

    fn number(&mut self, tree: &mut Tree, node: usize) -> Parsed<()> {
        let start = self.at;
        let rest = self.line.get(start..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .unwrap_or(rest.len());
        let text = rest.get(..length).unwrap_or_default();
        // JSON asks for a digit on both sides of a point; the cells of CSV may do without.
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let mut bare_point = digits.split(|byte| *byte == b'.');
        let (whole, fraction) = (bare_point.next().unwrap_or_default(), bare_point.next());
        let well_formed = whole.first().is_some_and(u8::is_ascii_digit)
            && fraction.is_none_or(|digits| digits.first().is_some_and(u8::is_ascii_digit));
        let value = if well_formed { cell::number(text) } else { None };
        let value = value.ok_or("this is not a number, or one out of range")?;
        self.at += length;
        let begin = self.begin + start;
        tree.value(node, (begin, begin + length), value);
        Ok(())
    }

    /// A string's content: where it is in the piece, or behind it when escapes had to be undone.
    fn string(&mut self) -> Parsed<(usize, usize)> {
        self.at += 1;
        let start = self.at;
        let rest = self.line.get(start..).unwrap_or_default();
        let Some(offset) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) else {
            return Err("the line ends within a text; was the file cut off?");
        };
        self.at += offset;
        match self.peek() {
            Some(b'"') => {
                let end = self.at;
                self.at += 1;
                Ok((self.begin + start, self.begin + end))
            }
            Some(b'\\') => self.escaped(start),
            _ => Err("a control character in a text must be escaped"),
        }
    }

    fn escaped(&mut self, start: usize) -> Parsed<(usize, usize)> {
        let begin = self.raw + self.unescaped.len();
        self.unescaped.extend_from_slice(self.line.get(start..self.at).unwrap_or_default());
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok((begin, self.raw + self.unescaped.len()));
                }
                Some(b'\\') => {
                    self.at += 1;
                    let plain = match self.peek() {
                        Some(byte @ (b'"' | b'\\' | b'/')) => byte,
                        Some(b'b') => 0x08,
                        Some(b'f') => 0x0C,
                        Some(b'n') => b'\n',
                        Some(b'r') => b'\r',
                        Some(b't') => b'\t',
                        Some(b'u') => {
                            let character = self.unicode()?;
                            self.unescaped.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                            continue;
                        }
                        _ => return Err("there is no such escape"),
                    };
                    self.unescaped.push(plain);
                    self.at += 1;
                }
                Some(0..0x20) => return Err("a control character in a text must be escaped"),
                Some(byte) => {
                    self.unescaped.push(byte);
                    self.at += 1;
                }
                None => return Err("the line ends within a text; was the file cut off?"),
            }
        }
    }

    /// `u` and four digits, twice for what is beyond the basic plane. Half a pair is no character.
    fn unicode(&mut self) -> Parsed<char> {
        let first = self.hex()?;
        let code = match first {
            0xD800..0xDC00 => {
                if self.line.get(self.at..self.at + 2) != Some(b"\\u") {
                    return Err("half a surrogate pair is no character");
                }
                self.at += 1;
                let second = self.hex()?;
                if !(0xDC00..0xE000).contains(&second) {
                    return Err("half a surrogate pair is no character");
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            code => code,
        };
        char::from_u32(code).ok_or("half a surrogate pair is no character")
    }

    fn hex(&mut self) -> Parsed<u32> {
        let digits = self.line.get(self.at + 1..self.at + 5).ok_or("four hexadecimal digits are expected")?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err("four hexadecimal digits are expected");
        }
        self.at += 5;
        let text = str::from_utf8(digits).unwrap_or_default();
        u32::from_str_radix(text, 16).map_err(|_| "four hexadecimal digits are expected")
    }

    fn text(&self, (begin, end): (usize, usize)) -> &[u8] {
        if begin >= self.raw {
            self.unescaped.get(begin - self.raw..end - self.raw).unwrap_or_default()
        } else {
            self.line.get(begin - self.begin..end - self.begin).unwrap_or_default()
        }
    }
}
