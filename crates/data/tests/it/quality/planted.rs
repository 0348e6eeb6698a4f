//! Tables that follow from a seed, clean or with something planted in them.

use bartizan_data::quality::{Cells, Codes, Feature, Table, Tag};

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn below(&mut self, bound: u32) -> u32 {
        (self.unit() * f64::from(bound)) as u32
    }

    pub(super) fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// Columns of a table.
#[derive(Clone)]
pub(super) struct Data {
    pub(super) numbers: Vec<Vec<f64>>,
    pub(super) texts: Vec<Vec<u32>>,
    pub(super) labels: Vec<u32>,
    pub(super) sources: Vec<u32>,
    names: Vec<String>,
    values: Vec<String>,
}

impl Data {
    /// Three columns of numbers and three of ten texts; `strength` says how much the first of each tell of one of
    /// two labels, 0 nothing. Text 9 is rare.
    pub(super) fn new(rows: usize, strength: f64, seed: u64) -> Data {
        let mut random = Random(seed);
        let mut numbers = vec![Vec::new(); 3];
        let mut texts = vec![Vec::new(); 3];
        let (mut labels, mut sources) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for _ in 0..rows {
            let mut score = -1.0;
            for (at, column) in numbers.iter_mut().enumerate() {
                let number = random.normal();
                score += if at == 0 { strength * number } else { 0.0 };
                column.push((number * 1000.0).round() / 1000.0);
            }
            for (at, column) in texts.iter_mut().enumerate() {
                let text = if random.unit() < 0.01 { 9 } else { random.below(9) };
                score += if at == 0 { strength * (f64::from(text) / 4.0 - 1.0) } else { 0.0 };
                column.push(text);
            }
            labels.push(u32::from(random.unit() < 1.0 / (1.0 + (-score).exp())));
            sources.push(random.below(5));
        }
        let names = ["x0", "x1", "x2", "t0", "t1", "t2"].map(str::to_owned).to_vec();
        let values = (0..10).map(|value| format!("value {value}")).collect();
        Data { numbers, texts, labels, sources, names, values }
    }

    pub(super) fn rows(&self) -> usize {
        self.labels.len()
    }

    pub(super) fn features(&self) -> Vec<Feature<'_>> {
        let numbers = self.numbers.iter().map(|cells| Cells::Numbers(cells));
        let texts = self.texts.iter().map(|codes| Cells::Codes(Codes { codes, values: &self.values }));
        self.names.iter().zip(numbers.chain(texts)).map(|(name, cells)| Feature { name, cells }).collect()
    }

    pub(super) fn tag<'a>(&'a self, name: &'a str, codes: &'a [u32]) -> Tag<'a> {
        Tag { name, codes: Codes { codes, values: &self.values } }
    }

    pub(super) fn label(&self) -> Tag<'_> {
        Tag { name: "label", codes: Codes { codes: &self.labels, values: &self.values[..2] } }
    }

    pub(super) fn table(&self) -> Table<'_> {
        let table = Table::new(self.features(), self.label()).unwrap();
        table.with_source(self.tag("source", &self.sources)).unwrap()
    }

    /// Flips a share of the labels, and says which.
    pub(super) fn flip(&mut self, share: f64, seed: u64) -> Vec<u32> {
        let mut random = Random(seed);
        let mut flipped = Vec::new();
        for (row, label) in self.labels.iter_mut().enumerate() {
            if random.unit() < share {
                *label = 1 - *label;
                flipped.push(row as u32);
            }
        }
        flipped
    }
}
