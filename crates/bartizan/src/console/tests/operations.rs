//! The pages of endpoints, the ledger, the lists and the first page; and what changes on a page by itself.

use std::collections::BTreeSet;

use expect_test::expect;

use super::{cut, values};
use crate::console::chart::{SHADES, bars, heat, latency_height, line, round_up, share_bar, spark, tenths};
use crate::console::format::duration;
use crate::console::sample::operations::{
    empty_ledger, endpoint, entry, hostile, idle, ledger, no_numbers, numbers, overview, quiet_overview,
};
use crate::console::view::endpoint::{EndpointStanding, MinuteView};
use crate::console::{endpoint_page, entry_page, ledger_page, overview_page, sample};

/// Texts of a page, without its tags.
fn words(markup: &str) -> String {
    let texts = markup.split('<').filter_map(|rest| rest.split_once('>')).map(|(_, text)| text.trim());
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ").replace('\u{202f}', " ")
}

#[test]
fn what_changes_by_itself_is_on_the_page_and_nothing_else_is_sent() {
    for view in [endpoint(), idle(EndpointStanding::Serving)] {
        let page = endpoint_page(&view).into_string();
        let sent = crate::console::values(&view.numbers).to_json();
        let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
        let sent: BTreeSet<&str> = sent.as_object().unwrap().keys().map(String::as_str).collect();
        let taken = ["data-live", "data-live-d", "data-live-label"];
        let taken: BTreeSet<&str> = taken.iter().flat_map(|name| values(&page, name)).collect();
        assert_eq!(sent, taken);
        assert_eq!(values(&page, "data-events"), ["/endpoints/scores/events"]);
        assert_eq!(values(&page, "data-live-state").len(), 1, "the script looks for it");
    }
    let evil = sample::hostile();
    let page = endpoint_page(&hostile(&evil.frame, &evil.model).endpoint).into_string();
    assert!(values(&page, "data-events").is_empty() && !page.contains("<script"), "events from elsewhere");
}

#[test]
fn the_numbers_of_an_hour() {
    let page = endpoint_page(&endpoint()).into_string();
    expect!["Requests 27.6 per second 3 681 in the last hour Answered instead 41.3 % 1 523 of the last hour Failed 0.08 % 3 of the last hour Latency p99 212 ms p50 1.9 ms, p95 9.4 ms"].assert_eq(&words(&cut(&page, "<dl class=\"facts four s12\"", "</dl>")));
    expect!["Answered by the version 84 310 Answered by the fallback 1 302 No inference request 12 Nobody could answer 0"].assert_eq(&words(&cut(&page, "<dl class=\"outcomes\"", "</dl>")));
    let page = endpoint_page(&idle(EndpointStanding::Serving)).into_string();
    expect!["Requests 0.00 per second 0 in the last hour Answered instead 0.00 % 0 of the last hour Failed 0.00 % 0 of the last hour Latency p99 – p50 –, p95 –"].assert_eq(&words(&cut(&page, "<dl class=\"facts four s12\"", "</dl>")));
}

#[test]
fn an_endpoint_says_what_is_wrong_with_it() {
    let said = |standing| {
        let page = endpoint_page(&idle(standing)).into_string();
        page.contains("class=\"banner").then(|| words(&cut(&page, "<section class=\"banner", "</section>")))
    };
    assert_eq!(said(EndpointStanding::Serving), None);
    assert_eq!(said(EndpointStanding::Disabled), None);
    expect!["fraud:2 does not answer It may not be served now, or cannot be read, so the fallback answers. Approve it again, promote another version or roll back."].assert_eq(&said(EndpointStanding::OnFallback).unwrap());
    expect!["Nobody answers Neither the version nor a fallback may answer: callers get 503. Route the endpoint to an approved version."].assert_eq(&said(EndpointStanding::Unanswered).unwrap());
    assert!(said(EndpointStanding::NotLoaded).unwrap().starts_with("It is not loaded"));
}

#[test]
fn the_first_page_shows_what_needs_attention_and_hides_what_may_not_be_seen() {
    let page = overview_page(&overview()).into_string();
    expect!["fraud:2 is quarantined By Dana Whitfield, 2026-11-21 bartizan model show fraud:2 scores is on its fallback By Dana Whitfield, 2026-11-21 bartizan model show scores fraud:4 waits for approval By Dana Whitfield, 2026-11-21 bartizan model show fraud:4"].assert_eq(&words(&cut(&page, "<ul class=\"attention\"", "</ul>")));
    assert!(page.contains("11 things, the worst first") && page.contains("id=\"head\""));
    let quiet = overview_page(&quiet_overview()).into_string();
    assert!(quiet.contains("Nothing needs attention") && quiet.contains("No endpoints here"));
    for hidden in ["id=\"head\"", "id=\"changes\"", "Tree size", "<dt>Data sets"] {
        assert!(page.contains(hidden) && !quiet.contains(hidden), "{hidden}");
    }
}

#[test]
fn the_ledger_says_which_entries_it_shows_and_whether_anybody_witnessed_it() {
    let page = ledger_page(&ledger()).into_string();
    let choice = cut(&page, "<nav class=\"seg right\"", "</nav>");
    expect!["/ledger?show=statements, /ledger?show=decisions, /ledger?show=all"]
        .assert_eq(&values(&choice, "href").join(", "));
    assert!(choice.contains("?show=statements\" aria-current=\"true\""), "{choice}");
    assert!(page.contains(">witnessed<") && !page.contains("self-attested"));
    let page = ledger_page(&empty_ledger()).into_string();
    assert!(page.contains("self-attested") && page.contains("No entries here"));
}

#[test]
fn an_entry_leads_to_its_neighbours_as_far_as_there_are_any() {
    let mut view = entry();
    let neighbours = |view: &_| {
        let page = entry_page(view).into_string();
        values(&cut(&page, "<div class=\"right\"", "</div>"), "href").join(", ")
    };
    expect!["/ledger/47, /ledger/49"].assert_eq(&neighbours(&view));
    view.row.index = 0;
    expect!["/ledger/1"].assert_eq(&neighbours(&view));
    view.size = 1;
    expect![""].assert_eq(&neighbours(&view));
    let page = entry_page(&entry()).into_string();
    assert!(page.contains("<code>{\n  &quot;predicate&quot;: {\n"), "{page}");
}

#[test]
fn paths_of_charts() {
    assert_eq!([0, 7, 10, 123].map(tenths), ["0", "0.7", "1", "12.3"]);
    assert_eq!([0, 2, 3, 5, 11, 99, 100, 101].map(round_up), [2, 2, 4, 10, 20, 100, 100, 200]);
    assert_eq!(round_up(u64::MAX), u64::MAX);
    let minute = |classes| MinuteView { classes, ..MinuteView::default() };
    let minutes = [minute([0; 4]), minute([50, 50, 0, 0]), minute([u64::MAX / 8; 4])];
    expect!["M65.8 92h7.4v84h-7.4zM74.8 8h7.4v168h-7.4z"].assert_eq(&bars(&minutes, 0, 100));
    expect!["M65.8 8h7.4v84h-7.4zM74.8 7h7.4v1h-7.4z"].assert_eq(&bars(&minutes, 1, 100));
    let heights = [None, Some(1_000), Some(500), None, Some(80)];
    expect!["M69.5 100h.1L78.5 50M96.6 8h.1"].assert_eq(&line(heights.into_iter()));
    expect!["M2 27L55 3L108 15"].assert_eq(&spark(&[0, 8, 4]));
    expect!["M2 27"].assert_eq(&spark(&[0]));
    let shares = [(0, 0), (0, 9), (1, 1_000_000), (9, 9)].map(|(part, whole)| share_bar(part, whole));
    assert_eq!(shares, ["M0 0h0v6h-0z", "M0 0h0v6h-0z", "M0 0h0.8v6h-0.8z", "M0 0h100v6h-100z"]);
}

#[test]
fn latencies_are_as_high_as_they_are_long() {
    let heights = [0, 256, 384, 512, 1_024, 1_048_576, 4_194_304, u64::MAX].map(latency_height);
    assert_eq!(heights, [1760, 1760, 1700, 1640, 1520, 320, 80, 80]);
    let spread = |spread| MinuteView { spread, ..MinuteView::default() };
    let minutes = [spread(vec![(Some(16), 1), (Some(512), 31), (None, 64)]), spread(vec![(Some(1_024), 2)])];
    let drawn = heat(&minutes).map(|path| path.matches('M').count());
    assert_eq!(drawn, [1, 0, 0, 0, 1, 1], "2, 32 and 64 of 64: each halving is a shade");
    assert!(heat(&no_numbers().minutes).iter().all(String::is_empty));
    assert_eq!(heat(&numbers().minutes).len(), SHADES);
}

#[test]
fn durations_are_written_in_a_unit_that_fits() {
    let written = [0, 999, 1_000, 3_249, 9_999, 10_000, 999_999, 1_000_000, 67_108_864].map(duration);
    let written: Vec<String> = written.iter().map(|(amount, unit)| format!("{amount} {unit}")).collect();
    expect!["0 µs, 999 µs, 1.0 ms, 3.2 ms, 9.9 ms, 10 ms, 999 ms, 1.0 s, 67.1 s"]
        .assert_eq(&written.join(", "));
}
