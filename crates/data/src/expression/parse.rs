//! From words to a typed tree, by recursive descent: `or`, `and`, `not`, comparisons, sums, products, signs.

use super::lex::{Word, shortened, words, wrong};
use super::{Arithmetic, Comparison, Expression, ExpressionInvalid, Function, Kind, Node};
use crate::cell;
use crate::limits::{EXPRESSION_COLUMNS, EXPRESSION_DEPTH};
use crate::pattern::Pattern;
use crate::profile::ColumnType;

type Parsed = Result<Part, ExpressionInvalid>;

/// A part of the tree: where it begins, what it is, how deep it is.
struct Part {
    at: usize,
    kind: Kind,
    depth: usize,
    node: Node,
}

struct Parser<'a> {
    text: &'a str,
    words: Vec<(usize, Word)>,
    next: usize,
    /// Brackets, `not` and signs that are open.
    open: usize,
    type_of: &'a dyn Fn(&str) -> Option<ColumnType>,
    columns: Vec<(String, ColumnType)>,
    /// Where each comparison begins and ends, and whether it says that something is not so.
    comparisons: Vec<(usize, usize, bool)>,
    /// Whether a `not` turns something round.
    turns: bool,
}

pub(super) fn parse(
    text: &str,
    type_of: &dyn Fn(&str) -> Option<ColumnType>,
) -> Result<Expression, ExpressionInvalid> {
    parsed(text, type_of).map(|(expression, _)| expression)
}

/// The text with each comparison known where a side is missing: true when it says that something is not so, and else
/// false. What unknown would come to in the end stays as it is.
pub(super) fn settled(
    text: &str,
    type_of: &dyn Fn(&str) -> Option<ColumnType>,
) -> Result<String, ExpressionInvalid> {
    let (_, Parser { comparisons, turns, .. }) = parsed(text, type_of)?;
    let mut put: Vec<(usize, bool, &str)> = Vec::new();
    for (from, to, negated) in comparisons {
        if negated || turns {
            let trimmed = text.get(from..to).map_or(to, |part| from + part.trim_end().len());
            put.push((from, true, "coalesce("));
            put.push((trimmed, false, if negated { ", true)" } else { ", false)" }));
        }
    }
    // What ends somewhere ends before the next begins there.
    put.sort_by_key(|(at, begins, _)| (*at, *begins));
    let (mut out, mut done) = (String::with_capacity(text.len() + 20 * put.len()), 0);
    for (at, _, what) in put {
        out.push_str(text.get(done..at).unwrap_or_default());
        out.push_str(what);
        done = at;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Ok(out)
}

fn parsed<'a>(
    text: &'a str,
    type_of: &'a dyn Fn(&str) -> Option<ColumnType>,
) -> Result<(Expression, Parser<'a>), ExpressionInvalid> {
    let words = words(text)?;
    let mut parser = Parser {
        text,
        words,
        next: 0,
        open: 0,
        type_of,
        columns: Vec::new(),
        comparisons: Vec::new(),
        turns: false,
    };
    let root = parser.any()?;
    if *parser.word() != Word::End {
        return Err(parser.wrong_here(&format!("{} comes after the end", parser.word().shown())));
    }
    let root = parser.wants(root, Kind::Truth, "an expression says whether something holds: it is")?;
    let columns = parser.columns.clone();
    Ok((Expression { text: text.to_owned(), root: root.node, columns }, parser))
}

/// Words that are never bare names of columns.
const KEYWORDS: [&str; 9] = ["and", "or", "not", "is", "null", "in", "between", "true", "false"];

impl Parser<'_> {
    fn word(&self) -> &Word {
        self.words.get(self.next).map_or(&Word::End, |(_, word)| word)
    }

    fn at(&self) -> usize {
        self.words.get(self.next).or(self.words.last()).map_or(0, |(at, _)| *at)
    }

    fn wrong_here(&self, what: &str) -> ExpressionInvalid {
        wrong(self.text, self.at(), what)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.word(), Word::Sign(found) if *found == sign);
        self.next += usize::from(found);
        found
    }

    fn takes_word(&mut self, keyword: &str) -> bool {
        let found = self.word().is(keyword);
        self.next += usize::from(found);
        found
    }

    fn needs(&mut self, sign: &str) -> Result<(), ExpressionInvalid> {
        if self.takes(sign) {
            return Ok(());
        }
        Err(self.wrong_here(&format!("`{sign}` is missing before {}", self.word().shown())))
    }

    fn wants(&self, part: Part, kind: Kind, why: &str) -> Parsed {
        if part.kind == kind {
            return Ok(part);
        }
        Err(wrong(self.text, part.at, format!("{why} {}, not {}", kind.name(), part.kind.name())))
    }

    /// A part of parts.
    fn made(&self, at: usize, kind: Kind, deepest: usize, node: Node) -> Parsed {
        let depth = deepest + 1;
        if depth > EXPRESSION_DEPTH {
            return Err(wrong(self.text, at, format!("more than the {EXPRESSION_DEPTH} levels allowed")));
        }
        Ok(Part { at, kind, depth, node })
    }

    /// Goes one level down, which the stack has to bear.
    fn within(&mut self, part: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        self.open += 1;
        if self.open > EXPRESSION_DEPTH {
            return Err(self.wrong_here(&format!("more than the {EXPRESSION_DEPTH} levels allowed")));
        }
        let part = part(self)?;
        self.open -= 1;
        Ok(part)
    }

    fn any(&mut self) -> Parsed {
        self.chain("or", Self::all, Node::Any)
    }

    fn all(&mut self) -> Parsed {
        self.chain("and", Self::negated, Node::All)
    }

    fn chain(
        &mut self,
        keyword: &str,
        part: impl Fn(&mut Self) -> Parsed,
        node: impl FnOnce(Vec<Node>) -> Node,
    ) -> Parsed {
        let first = part(self)?;
        if !self.word().is(keyword) {
            return Ok(first);
        }
        let why = format!("`{keyword}` joins");
        let (at, mut deepest) = (first.at, first.depth);
        let mut nodes = vec![self.wants(first, Kind::Truth, &why)?.node];
        while self.takes_word(keyword) {
            let next = part(self)?;
            let next = self.wants(next, Kind::Truth, &why)?;
            deepest = deepest.max(next.depth);
            nodes.push(next.node);
        }
        self.made(at, Kind::Truth, deepest, node(nodes))
    }

    fn negated(&mut self) -> Parsed {
        let at = self.at();
        if !self.takes_word("not") {
            return self.compared();
        }
        self.turns = true;
        let part = self.within(Self::negated)?;
        let part = self.wants(part, Kind::Truth, "`not` turns round")?;
        self.made(at, Kind::Truth, part.depth, Node::Not(Box::new(part.node)))
    }

    fn compared(&mut self) -> Parsed {
        let left = self.sum()?;
        let comparison = match self.word() {
            Word::Sign("=" | "==") => Comparison::Equal,
            Word::Sign("!=" | "<>") => Comparison::Unequal,
            Word::Sign("<") => Comparison::Less,
            Word::Sign("<=") => Comparison::LessOrEqual,
            Word::Sign(">") => Comparison::Greater,
            Word::Sign(">=") => Comparison::GreaterOrEqual,
            Word::Name(_) => return self.tested(left),
            _ => return Ok(left),
        };
        self.next += 1;
        let right = self.sum()?;
        self.comparisons.push((left.at, self.at(), comparison == Comparison::Unequal));
        self.comparison(comparison, left, right)
    }

    fn comparison(&self, comparison: Comparison, left: Part, right: Part) -> Parsed {
        let (left, right) = self.alike(left, right)?;
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
        if ordered && left.kind == Kind::Truth {
            return Err(wrong(self.text, left.at, "truth values have no order"));
        }
        let (at, deepest) = (left.at, left.depth.max(right.depth));
        self.made(at, Kind::Truth, deepest, Node::Compare(comparison, Box::new((left.node, right.node))))
    }

    /// Both sides of a comparison have one type; text that is written out is a time where the other side is one.
    fn alike(&self, left: Part, right: Part) -> Result<(Part, Part), ExpressionInvalid> {
        let (left, right) = match (left.kind, right.kind) {
            (Kind::Time, Kind::Text) => (left, self.time(right)?),
            (Kind::Text, Kind::Time) => (self.time(left)?, right),
            _ => (left, right),
        };
        if left.kind != right.kind {
            let (one, other) = (left.kind.name(), right.kind.name());
            return Err(wrong(self.text, right.at, format!("{one} is compared with {other}")));
        }
        Ok((left, right))
    }

    fn time(&self, part: Part) -> Parsed {
        let Node::Text(text) = &part.node else {
            return Err(wrong(self.text, part.at, "a time is compared with text"));
        };
        let time = time_of(text).ok_or_else(|| {
            wrong(self.text, part.at, "a time is written as '2026-01-31' or '2026-01-31 12:30:00'")
        })?;
        Ok(Part { kind: Kind::Time, node: Node::Time(time), ..part })
    }

    /// `is null`, `in (...)`, `between ... and ...`, and each of them with `not`.
    fn tested(&mut self, left: Part) -> Parsed {
        let at = left.at;
        if self.takes_word("is") {
            let negated = self.takes_word("not");
            if !self.takes_word("null") {
                return Err(self.wrong_here("after `is` comes `null` or `not null`"));
            }
            let test = self.made(at, Kind::Truth, left.depth, Node::IsNull(Box::new(left.node)))?;
            return self.perhaps(negated, test);
        }
        let negated = self.word().is("not");
        let after = self.words.get(self.next + usize::from(negated)).map_or(&Word::End, |(_, word)| word);
        let (is_in, is_between) = (after.is("in"), after.is("between"));
        if !(is_in || is_between) {
            return Ok(left);
        }
        self.next += 1 + usize::from(negated);
        let test = if is_in { self.listed(left)? } else { self.between(left)? };
        self.comparisons.push((at, self.at(), negated));
        self.perhaps(negated, test)
    }

    fn perhaps(&self, negated: bool, test: Part) -> Parsed {
        if negated {
            self.made(test.at, Kind::Truth, test.depth, Node::Not(Box::new(test.node)))
        } else {
            Ok(test)
        }
    }

    fn between(&mut self, value: Part) -> Parsed {
        let low = self.sum()?;
        if !self.takes_word("and") {
            return Err(self.wrong_here("`between` has two bounds, with `and` between them"));
        }
        let high = self.sum()?;
        let (at, kind, depth, node) = (value.at, value.kind, value.depth, value.node.clone());
        let above = self.comparison(Comparison::GreaterOrEqual, value, low)?;
        let below = self.comparison(Comparison::LessOrEqual, Part { at, kind, depth, node }, high)?;
        let deepest = above.depth.max(below.depth);
        self.made(at, Kind::Truth, deepest, Node::All(vec![above.node, below.node]))
    }

    fn listed(&mut self, value: Part) -> Parsed {
        self.needs("(")?;
        let mut items = Vec::new();
        loop {
            let item = self.sum()?;
            let item = if value.kind == Kind::Time { self.time(item)? } else { item };
            let item = self.wants(item, value.kind, "`in` compares with")?;
            items.push(item);
            if !self.takes(",") {
                break;
            }
        }
        self.needs(")")?;
        let (mut numbers, mut texts, mut times) = (Vec::new(), std::collections::HashSet::new(), Vec::new());
        for item in items {
            match item.node {
                Node::Number(number) => numbers.push(number),
                Node::Negate(of) if matches!(*of, Node::Number(_)) => {
                    if let Node::Number(number) = *of {
                        numbers.push(0.0 - number);
                    }
                }
                Node::Text(text) => {
                    texts.insert(text);
                }
                Node::Time(time) => times.push(time),
                _ => {
                    let what = "the values after `in` are written out: numbers, texts or times";
                    return Err(wrong(self.text, item.at, what));
                }
            }
        }
        let inner = Box::new(value.node);
        let node = match value.kind {
            Kind::Number => Node::InNumbers(inner, numbers),
            Kind::Text => Node::InTexts(inner, texts),
            Kind::Time => Node::InTimes(inner, times),
            Kind::Truth => {
                return Err(wrong(self.text, value.at, "a truth value is not looked for in a list"));
            }
        };
        self.made(value.at, Kind::Truth, value.depth, node)
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        loop {
            let operation = match self.word() {
                Word::Sign("+") => Arithmetic::Add,
                Word::Sign("-") => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            self.next += 1;
            let right = self.product()?;
            left = self.arithmetic(operation, left, right)?;
        }
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.signed()?;
        loop {
            let operation = match self.word() {
                Word::Sign("*") => Arithmetic::Multiply,
                Word::Sign("/") => Arithmetic::Divide,
                Word::Sign("%") => Arithmetic::Remainder,
                _ => return Ok(left),
            };
            self.next += 1;
            let right = self.signed()?;
            left = self.arithmetic(operation, left, right)?;
        }
    }

    fn arithmetic(&self, operation: Arithmetic, left: Part, right: Part) -> Parsed {
        let left = self.wants(left, Kind::Number, "arithmetic is with")?;
        let right = self.wants(right, Kind::Number, "arithmetic is with")?;
        let (at, deepest) = (left.at, left.depth.max(right.depth));
        self.made(at, Kind::Number, deepest, Node::Arithmetic(operation, Box::new((left.node, right.node))))
    }

    fn signed(&mut self) -> Parsed {
        let at = self.at();
        if !self.takes("-") {
            return self.primary();
        }
        let part = self.within(Self::signed)?;
        let part = self.wants(part, Kind::Number, "a minus stands before")?;
        self.made(at, Kind::Number, part.depth, Node::Negate(Box::new(part.node)))
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        let word = self.word().clone();
        self.next += 1;
        match word {
            Word::Number(number) => self.made(at, Kind::Number, 0, Node::Number(number)),
            Word::Text(text) => self.made(at, Kind::Text, 0, Node::Text(text.into_bytes())),
            Word::Quoted(name) => self.column(at, &name),
            Word::Sign("(") => {
                let part = self.within(Self::any)?;
                self.needs(")")?;
                Ok(Part { at, ..part })
            }
            Word::Name(name) => match self.word() {
                _ if name.eq_ignore_ascii_case("true") => self.made(at, Kind::Truth, 0, Node::Truth(true)),
                _ if name.eq_ignore_ascii_case("false") => self.made(at, Kind::Truth, 0, Node::Truth(false)),
                _ if KEYWORDS.iter().any(|keyword| name.eq_ignore_ascii_case(keyword)) => {
                    let what = format!("a value is expected, and `{name}` is a word of the language");
                    Err(wrong(self.text, at, what))
                }
                Word::Sign("(") => self.within(|parser| parser.call(at, &name)),
                _ => self.column(at, &name),
            },
            other => {
                self.next -= 1;
                Err(self.wrong_here(&format!("a value is expected, and there is {}", other.shown())))
            }
        }
    }

    fn column(&mut self, at: usize, name: &str) -> Parsed {
        let shown = shortened(name);
        let kind = (self.type_of)(name)
            .ok_or_else(|| wrong(self.text, at, format!("there is no column `{shown}` in the schema")))?;
        // Elements of lists are not one for each row.
        let of = if name.contains("[]") { None } else { Kind::of(kind) };
        let of = of.ok_or_else(|| {
            wrong(
                self.text,
                at,
                format!("column `{shown}` has no single value in a row that could be compared"),
            )
        })?;
        let place = match self.columns.iter().position(|(known, _)| known == name) {
            Some(place) => place,
            None if self.columns.len() >= EXPRESSION_COLUMNS => {
                return Err(wrong(
                    self.text,
                    at,
                    format!("more than the {EXPRESSION_COLUMNS} columns allowed"),
                ));
            }
            None => {
                self.columns.push((name.to_owned(), kind));
                self.columns.len() - 1
            }
        };
        self.made(at, of, 0, Node::Column(place, of))
    }

    /// The opening bracket is next.
    fn call(&mut self, at: usize, name: &str) -> Parsed {
        self.needs("(")?;
        let mut parts = Vec::new();
        if !self.takes(")") {
            loop {
                parts.push(self.any()?);
                if !self.takes(",") {
                    break;
                }
            }
            self.needs(")")?;
        }
        let name = name.to_ascii_lowercase();
        if matches!(name.as_str(), "date" | "timestamp") {
            let [part] = <[Part; 1]>::try_from(parts)
                .map_err(|_| wrong(self.text, at, format!("`{name}` takes one text")))?;
            return self.time(part);
        }
        let deepest = parts.iter().map(|part| part.depth).max().unwrap_or(0);
        if name == "matches" {
            let [text, pattern] = <[Part; 2]>::try_from(parts)
                .map_err(|_| wrong(self.text, at, "`matches` takes a text and a pattern"))?;
            let text = self.wants(text, Kind::Text, "`matches` looks at")?;
            let Node::Text(bytes) = &pattern.node else {
                return Err(wrong(self.text, pattern.at, "the pattern of `matches` is written out"));
            };
            let compiled = Pattern::new(&String::from_utf8_lossy(bytes))
                .map_err(|error| wrong(self.text, pattern.at, error.to_string()))?;
            return self.made(at, Kind::Truth, deepest, Node::Matches(Box::new(text.node), compiled));
        }
        let (function, takes, gives) = self.function(at, &name, &parts)?;
        if takes.len() != parts.len() {
            let what = format!("`{name}` takes {} values, not {}", takes.len(), parts.len());
            return Err(wrong(self.text, at, what));
        }
        let mut nodes = Vec::with_capacity(parts.len());
        for (part, kind) in parts.into_iter().zip(takes) {
            let is_time = kind == Kind::Time && part.kind == Kind::Text;
            let part = if is_time { self.time(part)? } else { part };
            nodes.push(self.wants(part, kind, &format!("`{name}` takes"))?.node);
        }
        self.made(at, gives, deepest, Node::Call(function, nodes))
    }

    /// A function, what it takes and what it gives.
    fn function(
        &self,
        at: usize,
        name: &str,
        parts: &[Part],
    ) -> Result<(Function, Vec<Kind>, Kind), ExpressionInvalid> {
        use Kind::{Number, Text, Time, Truth};
        let first = parts.first().map_or(Number, |part| part.kind);
        let many = |kind| vec![kind; parts.len().max(1)];
        Ok(match name {
            "abs" => (Function::Abs, vec![Number], Number),
            "floor" => (Function::Floor, vec![Number], Number),
            "ceil" => (Function::Ceil, vec![Number], Number),
            "round" => (Function::Round, vec![Number], Number),
            "least" => (Function::Least, many(Number), Number),
            "greatest" => (Function::Greatest, many(Number), Number),
            "length" => (Function::Length, vec![Text], Number),
            "lower" => (Function::Lower, vec![Text], Text),
            "upper" => (Function::Upper, vec![Text], Text),
            "trim" => (Function::Trim, vec![Text], Text),
            "starts_with" => (Function::StartsWith, vec![Text, Text], Truth),
            "ends_with" => (Function::EndsWith, vec![Text, Text], Truth),
            "contains" => (Function::Contains, vec![Text, Text], Truth),
            "year" => (Function::Year, vec![Time], Number),
            "month" => (Function::Month, vec![Time], Number),
            "day" => (Function::Day, vec![Time], Number),
            "hour" => (Function::Hour, vec![Time], Number),
            "weekday" => (Function::Weekday, vec![Time], Number),
            "days_between" => (Function::DaysBetween, vec![Time, Time], Number),
            "seconds_between" => (Function::SecondsBetween, vec![Time, Time], Number),
            "coalesce" => (Function::Coalesce, many(first), first),
            _ => {
                let what = format!(
                    "there is no function `{}`: abs, ceil, coalesce, contains, date, day, days_between, ends_with, \
                     floor, greatest, hour, least, length, lower, matches, month, round, seconds_between, \
                     starts_with, timestamp, trim, upper, weekday, year",
                    shortened(name)
                );
                return Err(wrong(self.text, at, what));
            }
        })
    }
}

/// A day or an instant, as nanoseconds since 1970-01-01T00:00:00.
pub(crate) fn time_of(text: &[u8]) -> Option<i128> {
    match cell::typed_text(text) {
        cell::Value::Date => cell::day(text).map(|day| i128::from(day) * 86_400_000_000_000),
        cell::Value::Timestamp => cell::instant(text).map(|(nanos, _)| nanos),
        _ => None,
    }
}
