//! Columns while lines are parsed: a tree of the keys that were seen, each with the cells below it.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::batch::Rows;
use super::parse::Parser;
use crate::cell::Value;
use crate::limits::RECORD_BYTES;

/// Where a column is: `address.city`, `tags[]`.
pub(super) type Path = Arc<str>;

/// Whole lines in columns.
pub(super) struct Lines {
    text: Vec<u8>,
    columns: Vec<JsonColumn>,
    /// The rows, and the elements of each list.
    spaces: Vec<Space>,
}

/// The cells of one path.
pub(super) struct JsonColumn {
    pub(super) path: Path,
    /// Its keys one by one, where the path leaves open which they are, as a key holds what separates them.
    pub(super) keys: Option<Path>,
    /// What it has a cell for each of: rows, or elements of a list.
    pub(super) space: usize,
    pub(super) spans: Vec<(u32, u32)>,
    pub(super) values: Vec<Value>,
}

impl JsonColumn {
    pub(super) fn filled(&self) -> bool {
        self.values.iter().any(|value| *value != Value::Null)
    }

    fn fill(&mut self, length: usize) {
        self.spans.resize(length, (0, 0));
        self.values.resize(length, Value::Null);
    }
}

struct Space {
    path: Path,
    length: usize,
    /// The row of each element, from 0; of rows themselves nothing.
    rows: Arc<Vec<u32>>,
}

/// What is known of a key.
pub(super) struct Node {
    path: Path,
    keys: Option<Path>,
    space: usize,
    column: Option<usize>,
    /// The fields of objects here, in the order in which they were first seen.
    fields: Vec<(Box<[u8]>, usize)>,
    places: HashMap<Box<[u8]>, usize>,
    /// The elements of lists here, and their space.
    elements: Option<(usize, usize)>,
    /// The last object that had this key, to tell a key that is there twice.
    last: u64,
    null: bool,
}

/// The tree of keys, and the cells.
pub(super) struct Tree {
    nodes: Vec<Node>,
    columns: Vec<JsonColumn>,
    spaces: Vec<Space>,
    objects: u64,
}

impl Lines {
    /// Parses lines; an error is a line, a character in it, both from 1, and what is wrong there.
    pub(super) fn parse(mut text: Vec<u8>) -> Result<Self, (u64, u64, &'static str)> {
        let mut tree = Tree::new();
        let mut unescaped = Vec::new();
        let raw = text.len();
        let (mut begin, mut line) = (0, 0);
        while begin < raw {
            let rest = text.get(begin..raw).unwrap_or_default();
            let end = begin + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let bytes = text.get(begin..end).unwrap_or_default();
            if !bytes.trim_ascii().is_empty() {
                line += 1;
                let at = |offset: usize| {
                    let before = bytes.get(..offset).unwrap_or(bytes);
                    1 + before.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64
                };
                if bytes.len() > RECORD_BYTES {
                    return Err((line, at(RECORD_BYTES), "the line is longer than the 1 MiB allowed"));
                }
                let mut parser = Parser::new(bytes, begin, raw, &mut unescaped);
                parser.line(&mut tree).map_err(|what| (line, at(parser.offset()), what))?;
            }
            begin = end + 1;
        }
        text.append(&mut unescaped);
        let Tree { nodes, mut columns, mut spaces, .. } = tree;
        // A key that was null only, and nothing else, is a column all the same.
        for node in nodes.iter().skip(1) {
            if node.null && node.column.is_none() && node.fields.is_empty() {
                columns.push(JsonColumn {
                    path: Arc::clone(&node.path),
                    keys: node.keys.clone(),
                    space: node.space,
                    spans: Vec::new(),
                    values: Vec::new(),
                });
            }
        }
        for column in &mut columns {
            column.fill(spaces.get(column.space).map_or(0, |space| space.length));
        }
        if let Some(rows) = spaces.first_mut() {
            rows.rows = Arc::default();
        }
        Ok(Self { text, columns, spaces })
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn columns(&self) -> &[JsonColumn] {
        &self.columns
    }

    pub(super) fn rows(&self) -> usize {
        self.spaces.first().map_or(0, |rows| rows.length)
    }

    pub(super) fn space_path(&self, space: usize) -> Path {
        self.spaces.get(space).map(|space| Arc::clone(&space.path)).unwrap_or_default()
    }

    pub(super) fn space_lengths(&self) -> HashMap<Path, u64> {
        self.spaces.iter().map(|space| (Arc::clone(&space.path), space.length as u64)).collect()
    }

    pub(super) fn rows_of(&self, space: usize, first_row: u64) -> Rows {
        match self.spaces.get(space) {
            Some(elements) if space > 0 => Rows::Of(first_row, Arc::clone(&elements.rows)),
            _ => Rows::From(first_row),
        }
    }
}

impl Tree {
    /// The node of a line's object.
    pub(super) const ROOT: usize = 0;

    fn new() -> Self {
        let path: Path = Arc::from("");
        Self {
            nodes: vec![Node::new(Arc::clone(&path), None, 0)],
            columns: Vec::new(),
            spaces: vec![Space { path, length: 0, rows: Arc::default() }],
            objects: 0,
        }
    }

    /// A line begins.
    pub(super) fn row(&mut self) {
        if let Some(rows) = self.spaces.first_mut() {
            rows.length += 1;
        }
    }

    /// An object begins; its number tells it from all others.
    pub(super) fn object(&mut self) -> u64 {
        self.objects += 1;
        self.objects
    }

    /// The node of a key of an object at `node`. `hint` is where the key is when keys come as they came before.
    pub(super) fn key(
        &mut self,
        node: usize,
        key: &[u8],
        object: u64,
        hint: usize,
    ) -> Result<usize, &'static str> {
        let Some(parent) = self.nodes.get(node) else { return Err("a key") };
        let known = match parent.fields.get(hint) {
            Some((name, child)) if **name == *key => Some(*child),
            _ => parent.places.get(key).copied(),
        };
        let child = match known {
            Some(child) => child,
            None => self.add(node, key)?,
        };
        if let Some(child) = self.nodes.get_mut(child) {
            if child.last == object {
                return Err("the key is there twice");
            }
            child.last = object;
        }
        Ok(child)
    }

    fn add(&mut self, node: usize, key: &[u8]) -> Result<usize, &'static str> {
        let child = self.nodes.len();
        let Some(parent) = self.nodes.get_mut(node) else { return Err("a key") };
        let name = str::from_utf8(key).map_err(|_| "the key is not UTF-8")?;
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err("a key is blank or has control characters");
        }
        let path: Path = if parent.path.is_empty() {
            Arc::from(name)
        } else {
            Arc::from(format!("{}.{name}", parent.path))
        };
        if path.len() > crate::limits::COLUMN_NAME_BYTES {
            return Err("the keys around a value are too long for the name of a column");
        }
        if child > 2 * crate::limits::JSON_COLUMNS {
            return Err("there are more different keys than columns are allowed");
        }
        let open = name.contains(['.', '[']);
        let before = || parent.keys.as_ref().unwrap_or(&parent.path);
        // No key has control characters.
        let keys = (open || parent.keys.is_some()).then(|| Arc::from(format!("{}\u{1f}{name}", before())));
        parent.fields.push((key.into(), child));
        parent.places.insert(key.into(), child);
        let space = parent.space;
        self.nodes.push(Node::new(path, keys, space));
        Ok(child)
    }

    /// The node of the elements of a list at `node`.
    pub(super) fn elements(&mut self, node: usize) -> usize {
        let child = self.nodes.len();
        let space = self.spaces.len();
        let Some(list) = self.nodes.get_mut(node) else { return Self::ROOT };
        if let Some((elements, _)) = list.elements {
            return elements;
        }
        list.elements = Some((child, space));
        let path: Path = Arc::from(format!("{}[]", list.path));
        let keys = list.keys.as_ref().map(|keys| Arc::from(format!("{keys}\u{1e}")));
        self.spaces.push(Space { path: Arc::clone(&path), length: 0, rows: Arc::default() });
        self.nodes.push(Node::new(path, keys, space));
        child
    }

    /// Another element of the list whose elements are at `node` begins.
    pub(super) fn element(&mut self, node: usize) {
        let row = self.spaces.first().map_or(0, |rows| rows.length.saturating_sub(1));
        let space = self.nodes.get(node).map_or(0, |node| node.space);
        if let Some(space) = self.spaces.get_mut(space) {
            space.length += 1;
            Arc::make_mut(&mut space.rows).push(u32::try_from(row).unwrap_or(u32::MAX));
        }
    }

    /// A value at `node`.
    pub(super) fn value(&mut self, node: usize, span: (usize, usize), value: Value) {
        let Some(known) = self.nodes.get_mut(node) else { return };
        if value == Value::Null {
            known.null = true;
            return;
        }
        let column = *known.column.get_or_insert_with(|| {
            self.columns.push(JsonColumn {
                path: Arc::clone(&known.path),
                keys: known.keys.clone(),
                space: known.space,
                spans: Vec::new(),
                values: Vec::new(),
            });
            self.columns.len() - 1
        });
        let length = self.spaces.get(known.space).map_or(0, |space| space.length);
        if let Some(column) = self.columns.get_mut(column) {
            column.fill(length.saturating_sub(1));
            let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            column.spans.push((place(span.0), place(span.1)));
            column.values.push(value);
        }
    }
}

impl Node {
    fn new(path: Path, keys: Option<Path>, space: usize) -> Self {
        Self {
            path,
            keys,
            space,
            column: None,
            fields: Vec::new(),
            places: HashMap::new(),
            elements: None,
            last: 0,
            null: false,
        }
    }
}
