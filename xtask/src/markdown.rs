//! The three things this crate reads in Markdown: a table, a code block and links.

/// The body rows of the first table below `heading`, back-quotes removed; empty if there is none.
///
/// A heading is a whole line, such as `## Layers`; the search ends at the next heading of any depth.
pub fn table_under(document: &str, heading: &str) -> Vec<Vec<String>> {
    let rows = section(document, heading).skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect())
        .collect()
}

/// The lines of the first fenced block below `heading`; empty if there is none.
pub fn block_under<'a>(document: &'a str, heading: &'a str) -> Vec<&'a str> {
    let lines = section(document, heading).skip_while(|line| !line.starts_with("```")).skip(1);
    lines.take_while(|line| !line.starts_with("```")).collect()
}

/// The targets of all inline links, `[text](target)`, without their `#fragments`.
pub fn links(document: &str) -> Vec<&str> {
    let targets = document.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.split('#').next().unwrap_or(target)).collect()
}

fn section<'a>(document: &'a str, heading: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = document.lines().skip_while(move |line| *line != heading).skip(1);
    let mut fenced = false;
    lines.take_while(move |line| {
        fenced ^= line.starts_with("```");
        fenced || !line.starts_with('#')
    })
}
