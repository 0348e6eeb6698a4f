//! A reader of JSON text that stops at the first byte that is not what RFC 8259 and its caller allow.

use std::borrow::Cow;

use super::RequestInvalid;

/// Where a reader is in a text.
///
/// It holds no tree and no stack: each method reads one token, and whoever calls knows what must come next. So
/// nothing nests deeper than the caller's own functions.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The same text from another place on.
    pub(super) fn from(&self, at: usize) -> Self {
        Self { text: self.text, at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn refuse(&self, what: &'static str) -> RequestInvalid {
        RequestInvalid::NotJson { at: self.at, what }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The first byte of the next token, white space before it skipped.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte,
            }
        }
    }

    /// Whether the next token is this byte, which is then read.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    pub(super) fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), RequestInvalid> {
        if self.take(byte) { Ok(()) } else { Err(self.refuse(what)) }
    }

    /// Nothing but white space is left.
    pub(super) fn end(&mut self) -> Result<(), RequestInvalid> {
        if self.peek().is_none() { Ok(()) } else { Err(self.refuse("something follows the request")) }
    }

    /// Whether the next token is this word (`true`, `false`, `null`), which is then read.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let there = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        self.at += if there { word.len() } else { 0 };
        there
    }

    /// Reads a number and returns its text; says too whether it has a fraction or an exponent.
    pub(super) fn number(&mut self) -> Result<(&'a str, bool), RequestInvalid> {
        let start = self.at;
        self.at += usize::from(self.byte() == Some(b'-'));
        match self.byte() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.refuse("neither a number nor anything else that may be here")),
        }
        let whole = self.at;
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.some_digits()?;
        }
        if matches!(self.byte(), Some(b'0'..=b'9' | b'.' | b'+' | b'-' | b'a'..=b'z' | b'A'..=b'Z')) {
            return Err(self.refuse("not a number"));
        }
        Ok((self.between(start, self.at)?, self.at != whole))
    }

    fn digits(&mut self) {
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), RequestInvalid> {
        let start = self.at;
        self.digits();
        if self.at == start { Err(self.refuse("a number lacks digits")) } else { Ok(()) }
    }

    fn between(&self, start: usize, end: usize) -> Result<&'a str, RequestInvalid> {
        self.text.get(start..end).ok_or_else(|| self.refuse("not a character"))
    }

    /// Reads a text; it is copied only when it holds escapes.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, RequestInvalid> {
        self.expect(b'"', "not a text")?;
        let start = self.at;
        let end = self.plain();
        if self.byte() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(self.between(start, end)?));
        }
        let mut text = self.between(start, end)?.to_owned();
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(self.refuse("a control character in a text")),
                None => return Err(self.refuse("a text does not end")),
            }
            let start = self.at;
            let end = self.plain();
            text.push_str(self.between(start, end)?);
        }
    }

    /// Skips to the next quotation mark, backslash or control character.
    fn plain(&mut self) -> usize {
        while self.byte().is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
        self.at
    }

    fn escape(&mut self) -> Result<char, RequestInvalid> {
        self.at += 1;
        let escaped = match self.byte() {
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.refuse("not an escape")),
        };
        self.at += 1;
        Ok(escaped)
    }

    /// The rest of `\uXXXX`; a pair of surrogates is one character, and one without the other is none.
    fn unicode(&mut self) -> Result<char, RequestInvalid> {
        let first = self.hex4()?;
        let code = match first {
            0xd800..=0xdbff => {
                if !self.word("\\u") {
                    return Err(self.refuse("half of a pair of surrogates"));
                }
                let second = self.hex4()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(self.refuse("half of a pair of surrogates"));
                }
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| self.refuse("half of a pair of surrogates"))
    }

    fn hex4(&mut self) -> Result<u32, RequestInvalid> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.refuse("not an escape"))?;
        self.at += 4;
        Ok(code)
    }
}
