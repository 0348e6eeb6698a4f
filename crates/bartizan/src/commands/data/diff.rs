//! Which lines of a text changed, as patches show it.

/// Lines shown before and after those that changed.
const CONTEXT: usize = 3;
/// Changed lines beyond which one text as a whole is shown for the other: the search takes the square of them.
const MOST: usize = 4_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit {
    Keep,
    Remove,
    Add,
}

/// A unified diff of two texts; nothing when they are the same.
pub(super) fn unified(before: &str, after: &str, name: &str) -> String {
    if before == after {
        return String::new();
    }
    // With their ends, since those are of the text too: some end with a carriage return, the last one perhaps not at all.
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let edits = edits(&old, &new);
    // A name ends at a tab, if white space may be in it.
    let end = if name.contains(char::is_whitespace) { "\t" } else { "" };
    let mut text = format!("--- {name}{end}\n+++ {name}{end}\n");
    let changed: Vec<usize> = (0..edits.len()).filter(|at| edits.get(*at) != Some(&Edit::Keep)).collect();
    let mut hunks: Vec<(usize, usize)> = Vec::new();
    for at in changed {
        let (start, end) = (at.saturating_sub(CONTEXT), (at + CONTEXT + 1).min(edits.len()));
        match hunks.last_mut() {
            Some(last) if start <= last.1 => last.1 = end,
            _ => hunks.push((start, end)),
        }
    }
    let (mut place, mut line_old, mut line_new) = (0, 0, 0);
    for (start, end) in hunks {
        let step = |edit: &Edit, line_old: &mut usize, line_new: &mut usize| {
            *line_old += usize::from(*edit != Edit::Add);
            *line_new += usize::from(*edit != Edit::Remove);
        };
        edits.iter().take(start).skip(place).for_each(|edit| step(edit, &mut line_old, &mut line_new));
        let hunk: Vec<Edit> = edits.iter().take(end).skip(start).copied().collect();
        let of = |other: Edit| hunk.iter().filter(|edit| **edit != other).count();
        text.push_str(&format!(
            "@@ -{},{} +{},{} @@\n",
            line_old + 1,
            of(Edit::Add),
            line_new + 1,
            of(Edit::Remove)
        ));
        for edit in &hunk {
            let (sign, line) = match edit {
                Edit::Keep => (' ', old.get(line_old)),
                Edit::Remove => ('-', old.get(line_old)),
                Edit::Add => ('+', new.get(line_new)),
            };
            text.push(sign);
            let line = line.copied().unwrap_or_default();
            text.push_str(line);
            if !line.ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
            step(edit, &mut line_old, &mut line_new);
        }
        place = end;
    }
    text
}

/// The shortest way from one text to the other (Myers, "An O(ND) difference algorithm and its variations", 1986, section
/// 4), once what both begin and end with is set aside.
fn edits(old: &[&str], new: &[&str]) -> Vec<Edit> {
    let head = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let (old, new) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(one, other)| one == other).count();
    let old = old.get(..old.len() - tail).unwrap_or_default();
    let new = new.get(..new.len() - tail).unwrap_or_default();
    let mut edits = vec![Edit::Keep; head];
    edits.extend(middle(old, new));
    edits.extend(std::iter::repeat_n(Edit::Keep, tail));
    edits
}

fn middle(old: &[&str], new: &[&str]) -> Vec<Edit> {
    let whole = || {
        let removed = std::iter::repeat_n(Edit::Remove, old.len());
        removed.chain(std::iter::repeat_n(Edit::Add, new.len())).collect()
    };
    // The furthest place in `old` on each diagonal, after each number of changes. Diagonal k has index k + changes.
    let mut trace: Vec<Vec<usize>> = Vec::new();
    let most = (old.len() + new.len()).min(MOST);
    for changes in 0..=most {
        let mut reached = vec![0_usize; 2 * changes + 1];
        let before = trace.last();
        // What the diagonal `index` of this round was in the one before, shifted by one.
        let at = |index: usize| before.and_then(|before| before.get(index)).copied();
        for index in (0..=2 * changes).step_by(2) {
            // From below a line is added, from the left one is removed.
            let (below, left) = (at(index), index.checked_sub(2).and_then(at));
            let mut x = match (below, left) {
                (Some(below), Some(left)) if below > left => below,
                (_, Some(left)) => left + 1,
                (Some(below), None) => below,
                (None, None) => 0,
            };
            let Some(mut y) = (x + changes).checked_sub(index) else { continue };
            while x < old.len() && y < new.len() && old.get(x) == new.get(y) {
                (x, y) = (x + 1, y + 1);
            }
            if let Some(place) = reached.get_mut(index) {
                *place = x;
            }
            if x >= old.len() && y >= new.len() {
                trace.push(reached);
                return walked(&trace, old.len(), new.len());
            }
        }
        trace.push(reached);
    }
    whole()
}

/// Back from the end to the beginning.
fn walked(trace: &[Vec<usize>], old: usize, new: usize) -> Vec<Edit> {
    let (mut x, mut y, mut edits) = (old, new, Vec::new());
    for changes in (1..trace.len()).rev() {
        let Some(before) = trace.get(changes - 1) else { break };
        let index = x + changes - y;
        let (below, left) =
            (before.get(index).copied(), index.checked_sub(2).and_then(|at| before.get(at)).copied());
        let added = match (below, left) {
            (Some(below), Some(left)) => below > left,
            (Some(_), None) => true,
            _ => false,
        };
        let start = if added { below.unwrap_or(0) } else { left.map_or(0, |left| left + 1) };
        while x > start {
            edits.push(Edit::Keep);
            (x, y) = (x - 1, y.saturating_sub(1));
        }
        edits.push(if added { Edit::Add } else { Edit::Remove });
        if added {
            y = y.saturating_sub(1)
        } else {
            x = x.saturating_sub(1)
        };
    }
    edits.extend(std::iter::repeat_n(Edit::Keep, x));
    edits.reverse();
    edits
}
