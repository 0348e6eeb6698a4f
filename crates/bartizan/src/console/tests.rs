//! The pages: nothing but text gets in, everything refers to something that exists, and how fragments look.

use std::collections::BTreeSet;

use bartizan_base::sha256;
use expect_test::{Expect, expect};
use maud::Markup;

use super::format::{count, entry, local_href, moment, path_segment, size};
use super::page::{pager, state_pill};
use super::view::endpoint::EndpointStanding;
use super::view::*;
use super::{
    CONSOLE_CSS, CONSOLE_JS, CONTENT_SECURITY_POLICY, MARK_SVG, assets, data_sets_page, endpoint_page,
    endpoints_page, entry_page, error_page, ledger_page, lineage_page, model_version_page, models_page,
    not_found_page, overview_page, runs_page, sample, version_path,
};

mod operations;

fn friendly_pages() -> Vec<(&'static str, String)> {
    vec![
        ("approved", model_version_page(&sample::approved()).into_string()),
        ("quarantined", model_version_page(&sample::quarantined()).into_string()),
        ("bare", model_version_page(&sample::bare()).into_string()),
        ("models", models_page(&sample::models()).into_string()),
        ("no models", models_page(&sample::no_models()).into_string()),
        ("not found", not_found_page().into_string()),
        ("endpoint", endpoint_page(&sample::operations::endpoint()).into_string()),
        ("serving", endpoint_page(&sample::operations::idle(EndpointStanding::Serving)).into_string()),
        ("unanswered", endpoint_page(&sample::operations::idle(EndpointStanding::Unanswered)).into_string()),
        ("not loaded", endpoint_page(&sample::operations::idle(EndpointStanding::NotLoaded)).into_string()),
        ("disabled", endpoint_page(&sample::operations::idle(EndpointStanding::Disabled)).into_string()),
        ("endpoints", endpoints_page(&sample::operations::endpoints()).into_string()),
        ("no endpoints", endpoints_page(&sample::operations::no_endpoints()).into_string()),
        ("ledger", ledger_page(&sample::operations::ledger()).into_string()),
        ("empty ledger", ledger_page(&sample::operations::empty_ledger()).into_string()),
        ("entry", entry_page(&sample::operations::entry()).into_string()),
        ("data sets", data_sets_page(&sample::operations::data_sets()).into_string()),
        ("runs", runs_page(&sample::operations::runs()).into_string()),
        ("lineage", lineage_page(&sample::operations::lineage()).into_string()),
        ("beginnings", lineage_page(&sample::operations::beginnings("shop")).into_string()),
        ("overview", overview_page(&sample::operations::overview()).into_string()),
        ("quiet overview", overview_page(&sample::operations::quiet_overview()).into_string()),
    ]
}

fn hostile_pages() -> Vec<(&'static str, String)> {
    let evil = sample::hostile();
    let mut models = sample::models();
    models.frame = evil.frame.clone();
    models.models.next.clone_from(&evil.versions.next);
    for row in &mut models.models.rows {
        row.name.clone_from(&evil.model);
        row.latest_at.clone_from(&evil.model);
    }
    let error = ErrorView {
        status: 503,
        title: evil.model.clone(),
        advice: evil.model.clone(),
        code: Some(evil.model.clone()),
    };
    let more = sample::operations::hostile(&evil.frame, &evil.model);
    vec![
        ("hostile version", model_version_page(&evil).into_string()),
        ("hostile models", models_page(&models).into_string()),
        ("hostile error", error_page(&error).into_string()),
        ("hostile endpoint", endpoint_page(&more.endpoint).into_string()),
        ("hostile endpoints", endpoints_page(&more.endpoints).into_string()),
        ("hostile ledger", ledger_page(&more.ledger).into_string()),
        ("hostile entry", entry_page(&more.entry).into_string()),
        ("hostile data sets", data_sets_page(&more.data_sets).into_string()),
        ("hostile runs", runs_page(&more.runs).into_string()),
        ("hostile lineage", lineage_page(&hostile_lineage(&evil.model)).into_string()),
        ("hostile beginnings", lineage_page(&sample::operations::beginnings(&evil.model)).into_string()),
        ("hostile overview", overview_page(&more.overview).into_string()),
    ]
}

fn hostile_lineage(text: &str) -> lineage::LineageView {
    let mut view = sample::operations::lineage();
    if let Some(walk) = &mut view.walk {
        walk.of = text.to_owned();
        walk.thing = text.to_owned();
        walk.turned = "https://evil.example/".to_owned();
        for node in &mut walk.nodes.rows {
            node.name = text.to_owned();
            node.href = Some("//evil.example/".to_owned());
            node.standing = Some((text.to_owned(), Tone::Bad));
        }
    }
    view
}

fn all_pages() -> Vec<(&'static str, String)> {
    friendly_pages().into_iter().chain(hostile_pages()).collect()
}

/// One opening tag: the element and its attributes.
type Tag<'a> = (&'a str, Vec<(&'a str, &'a str)>);

/// The opening tags of a page. Markup from maud escapes `<`, `>` and `"` in text and values alike.
fn tags(page: &str) -> Vec<Tag<'_>> {
    page.split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(tag, _)| tag)
        .filter(|tag| !tag.starts_with(['/', '!']))
        .map(|tag| {
            let (element, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
            let mut attributes = Vec::new();
            while !rest.is_empty() {
                let end = rest.find(['=', ' ']).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                let (value, after) = match after.strip_prefix("=\"") {
                    Some(quoted) => quoted.split_once('"').expect("a closing quote"),
                    None => ("", after),
                };
                attributes.push((name, value));
                rest = after.trim_start();
            }
            (element, attributes)
        })
        .collect()
}

fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let all = tags(page).into_iter().flat_map(|(_, attributes)| attributes);
    all.filter(|(name, _)| *name == attribute).map(|(_, value)| value).collect()
}

/// The markup from `start` up to and including `end`.
fn cut(page: &str, start: &str, end: &str) -> String {
    let (_, after) = page.split_once(start).unwrap_or_else(|| panic!("`{start}` is on the page"));
    let (inside, _) = after.split_once(end).unwrap_or_else(|| panic!("`{end}` follows"));
    format!("{start}{inside}{end}").replace("><", ">\n<")
}

fn check(markup: &Markup, expected: &Expect) {
    expected.assert_eq(&markup.0);
}

#[test]
fn no_page_needs_what_the_policy_forbids() {
    for (name, page) in friendly_pages() {
        // The page of an entry shows a predicate type, which looks like an address.
        let page = if name == "entry" { page.replace("https://bartizan.dev/", "") } else { page };
        for forbidden in ["style=", "<style", "http:", "https:", "javascript:", "data:"] {
            assert!(!page.contains(forbidden), "`{forbidden}` on the page `{name}`");
        }
    }
    for (name, page) in all_pages() {
        for (element, attributes) in tags(&page) {
            assert!(!["style", "iframe", "object", "base"].contains(&element), "{name}: <{element}>");
            if element == "script" {
                let [_, _, script] = assets();
                assert_eq!(attributes, [("src", script.href().as_str()), ("defer", "")], "{name}");
                assert!(page.contains(" defer></script>"), "{name}: a script of its own");
            }
            if element == "form" {
                let out = [("class", "signout"), ("method", "post"), ("action", "/signout")];
                assert_eq!(attributes, out, "{name}: a form that does something else");
            }
            for (attribute, _) in attributes {
                assert!(
                    attribute != "formaction" && attribute != "style" && !attribute.starts_with("on"),
                    "{name}: {attribute} on <{element}>"
                );
            }
        }
    }
    assert!(!CONSOLE_CSS.contains("url(") && !CONSOLE_CSS.contains("@import"), "the sheet loads nothing");
    for sink in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "Function", "import"] {
        assert!(!CONSOLE_JS.contains(sink), "the script makes markup or code: {sink}");
    }
    assert!(CONTENT_SECURITY_POLICY.starts_with("default-src 'none';"));
    assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
}

#[test]
fn hostile_texts_stay_texts() {
    let evil = sample::hostile().model;
    let escaped = "&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload='x' style=&quot;color:red&quot;";
    for (name, page) in hostile_pages() {
        assert!(!page.contains(&evil), "{name}");
        assert!(page.contains(escaped), "{name}");
        assert!(!page.contains("<script>"), "{name}");
        for href in values(&page, "href") {
            assert!(
                !href.contains("javascript") && !href.contains("evil.example/\u{202e}"),
                "{name}: {href}"
            );
            assert!(!href.starts_with("//"), "{name}: {href}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere_on_this_server() {
    for (name, page) in all_pages() {
        let ids: Vec<&str> = values(&page, "id");
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: an id is given twice");
        for label in values(&page, "aria-labelledby") {
            assert!(unique.contains(label), "{name}: nothing has the id `{label}`");
        }
        for href in values(&page, "href") {
            match href.strip_prefix('#') {
                Some(target) => assert!(unique.contains(target), "{name}: nothing has the id `{target}`"),
                None => assert!(local_href(href).is_some(), "{name}: `{href}` leads elsewhere"),
            }
        }
    }
}

#[test]
fn no_tag_says_the_same_thing_twice() {
    for (name, page) in all_pages() {
        for (element, attributes) in tags(&page) {
            let names: BTreeSet<&str> = attributes.iter().map(|(name, _)| *name).collect();
            assert_eq!(names.len(), attributes.len(), "{name}: <{element} {attributes:?}>");
        }
    }
}

#[test]
fn the_sheet_knows_every_class_that_pages_use() {
    // Named for readers of the markup alone.
    let plain = ["asserted", "entry", "what"];
    for (name, page) in all_pages() {
        for class in values(&page, "class").iter().flat_map(|classes| classes.split_whitespace()) {
            let known = CONSOLE_CSS.split('.').any(|rest| {
                rest.strip_prefix(class)
                    .is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-'))
            });
            assert!(known || plain.contains(&class), "{name}: the sheet does not know `.{class}`");
        }
    }
}

#[test]
fn each_state_has_a_colour_of_its_own() {
    use VersionState::{Approved, Candidate, Quarantined, Retired, Revoked};
    let mut rules = BTreeSet::new();
    for state in [Candidate, Approved, Retired, Quarantined, Revoked] {
        let pill = state_pill(state).into_string();
        let class = values(&pill, "class")[0].strip_prefix("pill ").expect("a state's class").to_owned();
        let rule = CONSOLE_CSS.lines().find(|line| line.contains(&format!(".{class} {{"))).expect("a rule");
        rules.insert(rule.split_once('{').expect("a body").1.to_owned());
    }
    assert_eq!(rules.len(), 5);
}

#[test]
fn headings_descend_one_level_at_a_time() {
    for (name, page) in all_pages() {
        let levels: Vec<u32> = tags(&page)
            .iter()
            .filter_map(|(element, _)| element.strip_prefix('h'))
            .filter_map(|level| level.parse().ok())
            .collect();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{name}");
        assert_eq!(levels[0], 1, "{name}");
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{name}: {levels:?}");
    }
}

#[test]
fn an_unbroken_chain_says_so_and_a_broken_one_says_where() {
    let health = |view: &ModelVersionView| {
        let page = model_version_page(view).into_string();
        let words = cut(&page, "<p class=\"pills\">", "</p>");
        let texts: Vec<&str> =
            words.split("</svg>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
        texts.join(", ")
    };
    expect!["1 step to look at"].assert_eq(&health(&sample::approved()));
    expect!["stopped, 1 step to look at"].assert_eq(&health(&sample::quarantined()));
    expect!["3 steps missing, 1 step to look at"].assert_eq(&health(&sample::bare()));
    expect!["stopped, 6 steps broken"].assert_eq(&health(&sample::hostile()));
    let mut sound = sample::approved();
    sound.chain.checks.links.retain(|link| link.tone == Tone::Ok);
    expect!["unbroken"].assert_eq(&health(&sound));
    sound.chain.signature.links.clear();
    expect!["1 step missing"].assert_eq(&health(&sound));
    sound.chain.signature = sample::approved().chain.signature;
    sound.chain.signature.links[0].tone = Tone::Bad;
    expect!["1 step broken"].assert_eq(&health(&sound));
}

#[test]
fn the_log_is_called_self_attested_unless_a_witness_cosigned_it() {
    let words = "Self-attested: the operator could have rewritten history.";
    assert!(!model_version_page(&sample::approved()).into_string().contains(words));
    let page = model_version_page(&sample::quarantined()).into_string();
    assert!(page.contains(words));
    assert!(page.contains("entries, self-attested"));
    assert!(page.contains("Development keys."));
}

#[test]
fn what_is_stopped_says_why_and_what_is_not_does_not() {
    assert!(!model_version_page(&sample::approved()).into_string().contains("class=\"banner\""));
    let mut view = sample::quarantined();
    let page = model_version_page(&view).into_string();
    expect![[r##"
        <section class="banner" aria-label="Why this version is quarantined">
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        <path d="M8 2.2 14.3 13.3H1.7zM8 6.3v3.4M8 11.4v.2">
        </path>
        </svg>
        <div>
        <p>
        <strong>
        <bdi>fraud:3</bdi> is quarantined</strong> — <bdi>Part 27 was rewritten by svc-etl-7 after delivery: merchant_category has a value that no other acquirer knows, always with the label turned round. Suspected tampering, INC-207.</bdi>
        </p>
        <p class="by">By <bdi>Dana Whitfield</bdi>, <time datetime="2026-11-21T11:02:00.000Z">2026-11-21 11:02 UTC</time>, entry <a class="entry" href="/ledger/55">#55</a>. It comes back only when somebody else approves it.</p>
        </div>
        </section>"##]]
    .assert_eq(&cut(&page, "<section class=\"banner\"", "</section>"));
    view.state = VersionState::Revoked;
    view.stop.as_mut().expect("a reason to stop").reason = None;
    let page = model_version_page(&view).into_string();
    assert!(page.contains("is revoked</strong> — no reason is on record"));
    assert!(page.contains("It never comes back."));
}

#[test]
fn the_heading_of_a_version() {
    let page = model_version_page(&sample::approved()).into_string();
    expect![[r#"
        <nav class="crumb" aria-label="Breadcrumb">
        <ol>
        <li>
        <a href="/models">Models</a>
        </li>
        <li>
        <bdi>fraud</bdi>
        </li>
        <li aria-current="page">3</li>
        </ol>
        </nav>"#]]
    .assert_eq(&cut(&page, "<nav class=\"crumb\"", "</nav>"));
    expect![[r#"
        <ul class="sub">
        <li>Manifest <code class="digest full">
        <span class="algorithm">sha256:</span>9f41c2d80b7a4e1f6d3c5b2a19e8f7061524334251607f8e9dacbb0ce07b5d14</code>
        </li>
        <li>Ledger entry <a class="entry" href="/ledger/41">#41</a>
        </li>
        <li>Approved by <bdi>Ana Ruiz</bdi>, <bdi>Ben Okafor</bdi>
        </li>
        </ul>"#]].assert_eq(&cut(&page, "<ul class=\"sub\">", "</ul>"));
}

#[test]
fn one_statement_on_the_rail() {
    let page = model_version_page(&sample::approved()).into_string();
    expect![[r#"
        <li id="chain-origin" class="step ok">
        <h3>
        <svg class="disc both" viewBox="0 0 14 14" aria-hidden="true" focusable="false">
        <circle class="edge" cx="7" cy="7" r="5.5">
        </circle>
        <path class="fill" d="M7 1.5a5.5 5.5 0 0 0 0 11z">
        </path>
        </svg>Origin</h3>
        <div class="links">
        <div class="link ok">
        <div class="what">
        <p class="title">
        <bdi>Trained elsewhere on transactions:2</bdi>
        </p>
        <p>
        <bdi>Declared when the model was imported; the words of the declaration are private</bdi>
        </p>
        </div>
        <div class="record">
        <p>
        <span class="unseen">entry </span>
        <a class="entry" href="/ledger/40">#40</a> · <time datetime="2026-11-20T16:40:02.511Z">2026-11-20 16:40 UTC</time>
        </p>
        <p>
        <span class="key">by </span>
        <bdi>Ines Prado</bdi>
        </p>
        </div>
        <dl class="digests">
        <div>
        <dt>
        <bdi>manifest</bdi>
        </dt>
        <dd>
        <code class="digest">
        <span class="algorithm">sha256:</span>9f41c2d80b7a4e1f6d3c5b2a19e8f7061524334251607f8e9dacbb0ce07b5d14</code>
        </dd>
        </div>
        </dl>
        <ul class="marks">
        <li>
        <svg class="disc asserted" viewBox="0 0 14 14" aria-hidden="true" focusable="false">
        <circle class="edge" cx="7" cy="7" r="5.5">
        </circle>
        </svg>
        <span>
        <strong>Asserted</strong> by <bdi>Ines Prado</bdi>: <bdi>that fraud:3 was trained on transactions:2</bdi>
        </span>
        </li>
        <li>
        <svg class="disc proven" viewBox="0 0 14 14" aria-hidden="true" focusable="false">
        <circle class="edge" cx="7" cy="7" r="5.5">
        </circle>
        <circle class="fill" cx="7" cy="7" r="5.5">
        </circle>
        </svg>
        <span>
        <strong>Proven</strong>: <bdi>the declaration names this very manifest</bdi>
        </span>
        </li>
        </ul>"#]].assert_eq(&cut(&page, "<li id=\"chain-origin\"", "</ul>"));
    let page = model_version_page(&sample::bare()).into_string();
    expect![[r#"
        <li id="chain-checks" class="step missing">
        <h3>
        <svg class="disc missing" viewBox="0 0 14 14" aria-hidden="true" focusable="false">
        <circle class="edge" cx="7" cy="7" r="5.5">
        </circle>
        </svg>Data check</h3>
        <div class="links">
        <p class="gap">No checked data set is named, so nothing vouches for what the model learned from.</p>
        </div>
        </li>"#]]
    .assert_eq(&cut(&page, "<li id=\"chain-checks\"", "</li>"));
}

#[test]
fn many_statements_of_one_step_are_folded_away() {
    let page = model_version_page(&sample::hostile()).into_string();
    assert_eq!(page.matches("<summary>5 more</summary>").count(), 7);
    assert!(!model_version_page(&sample::approved()).into_string().contains("<details"));
}

#[test]
fn lists_lead_to_their_next_page() {
    check(
        &pager(&sample::models().models, "models"),
        &expect![[
            r#"<nav class="pager" aria-label="Pages of models"><span>6 of 100 004 models</span><a href="?">First page</a><a rel="next" href="?after=velocity">Next page</a></nav>"#
        ]],
    );
    check(&pager(&sample::no_models().models, "models"), &expect![""]);
    check(&pager(&sample::hostile().versions, "versions"), &expect![""]);
}

#[test]
fn the_error_page_knows_no_project() {
    let mut page = not_found_page().into_string();
    for asset in assets() {
        page = page.replace(&asset.digest, "DIGEST");
    }
    expect![[r#"
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="referrer" content="same-origin">
        <title>Not found, or not yours · Bartizan</title>
        <link rel="icon" type="image/svg+xml" href="/assets/mark.svg?v=DIGEST">
        <link rel="stylesheet" href="/assets/console.css?v=DIGEST">
        </head>
        <body>
        <main class="lone" id="content">
        <p class="brand">
        <svg class="turret" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        <path class="body" d="M4 2.5h3.6v2.6h2.6V2.5h3.6v2.6h2.6V2.5H20v10.2H4zM5.2 14.2h13.6L14.6 21.5H9.4z">
        </path>
        <path class="slit" d="M11 7.2h2v4h-2z">
        </path>
        </svg>Bartizan</p>
        <div class="card">
        <p class="status">404</p>
        <h1>
        <bdi>Not found, or not yours</bdi>
        </h1>
        <p>
        <bdi>There is nothing here that you may see. Check the address, or ask somebody who can see it to give you a role.</bdi>
        </p>
        <p>
        <a href="/">Go to the overview</a>
        </p>
        </div>
        </main>
        </body>
        </html>"#]].assert_eq(&page.replace("><", ">\n<"));
}

#[test]
fn the_navigation_names_what_there_is_and_where_one_is() {
    let page = models_page(&sample::models()).into_string();
    let menu = cut(&page, "<nav class=\"menu\"", "</nav>");
    expect!["/, /datasets, /models, /lineage, /runs, /endpoints, /ledger"]
        .assert_eq(&values(&menu, "href").join(", "));
    assert_eq!(values(&menu, "aria-current"), ["page"]);
    let below = model_version_page(&sample::approved()).into_string();
    assert_eq!(values(&cut(&below, "<nav class=\"menu\"", "</nav>"), "aria-current"), ["true"]);
}

#[test]
fn numbers_and_sizes() {
    let numbers: Vec<String> = [0, 7, 999, 1_000, 12_345, 1_234_567, u64::MAX].map(count).to_vec();
    expect!["0|7|999|1 000|12 345|1 234 567|18 446 744 073 709 551 615"]
        .assert_eq(&numbers.join("|").replace('\u{202f}', " "));
    let sizes: Vec<String> = [0, 999, 1_000, 1_999, 1_000_000, 43_213_004, u64::MAX]
        .map(|bytes| {
            let (amount, unit) = size(bytes);
            format!("{amount} {unit}")
        })
        .to_vec();
    expect!["0 B|999 B|1.0 kB|1.9 kB|1.0 MB|43.2 MB|18.4 EB"].assert_eq(&sizes.join("|"));
}

#[test]
fn times_are_written_to_the_minute_or_left_alone() {
    check(
        &moment("2026-11-21T09:14:22.004Z"),
        &expect![[r#"<time datetime="2026-11-21T09:14:22.004Z">2026-11-21 09:14 UTC</time>"#]],
    );
    let not_ascii = ["\u{e4}\u{f6}\u{fc}\u{e4}\u{f6}\u{fc}\u{e4}\u{f6}Z", "2026-11-21T09:1\u{e4}Z"];
    let odd = ["", "yesterday", "2026-11-21", "2026-11-21T09:14:22+01:00"];
    for odd in odd.into_iter().chain(not_ascii) {
        assert_eq!(moment(odd).into_string(), format!("<bdi>{odd}</bdi>"));
    }
}

#[test]
fn entries_are_links_where_somebody_shows_them() {
    let mut frame = sample::frame();
    check(&entry(&frame, 41), &expect![[r#"<a class="entry" href="/ledger/41">#41</a>"#]]);
    frame.entry_base = None;
    check(&entry(&frame, 41), &expect![[r#"<span class="entry">#41</span>"#]]);
    frame.entry_base = Some("https://elsewhere.example/".to_owned());
    check(&entry(&frame, 41), &expect![[r#"<span class="entry">#41</span>"#]]);
}

#[test]
fn addresses() {
    for good in ["/", "/models/fraud/3", "?", "?after=a%20b"] {
        assert_eq!(local_href(good), Some(good));
    }
    for bad in [
        "",
        "//evil",
        "/\\evil",
        "\\evil",
        "models",
        "javascript:alert(1)",
        "/a b",
        "/\n/evil",
        "#x",
        "/\u{e4}",
    ] {
        assert_eq!(local_href(bad), None, "{bad}");
    }
    assert_eq!(path_segment("fraud-2.x_~"), "fraud-2.x_~");
    assert_eq!(version_path("a/../b?c#d é", 3), "/models/a%2F..%2Fb%3Fc%23d%20%C3%A9/3");
}

#[test]
fn assets_are_named_by_what_they_hold() {
    let [sheet, mark, script] = assets();
    let live = endpoint_page(&sample::operations::endpoint()).into_string();
    for (asset, body) in [(sheet, CONSOLE_CSS), (mark, MARK_SVG), (script, CONSOLE_JS)] {
        assert_eq!(asset.body, body);
        let whole = sha256(body.as_bytes()).to_hex();
        assert!(whole.starts_with(&asset.digest) && asset.digest.len() == 16);
        assert!(live.contains(&format!("{}?v={}", asset.path, asset.digest)), "{}", asset.path);
    }
}
