//! The console's pages over HTTP: sign-in, lists, and a model version with its chain.

mod assets;
mod endpoints;
mod ledger;
mod lineage;
mod live;
mod overview;
mod scene;
mod story;
mod view;

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bartizan_policy::api_key::ApiKey;
use bartizan_policy::{ProjectWide, op};
use bartizan_registry::lineage::Direction;

pub(super) use self::ledger::Statements;
pub(super) use self::live::STREAMS;
use super::{Answer, App, Call, small};
use crate::catalog::ids;
use crate::console;
use crate::console::view::ledger::Shown;
use crate::failure::Failure;

const FORM_BYTES: usize = 4096;
const SIGN_IN_PATH: &str = "/signin";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(super) async fn models(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let caller = call.caller()?;
    app.registry.ask(caller, op::ModelList, ProjectWide).await?;
    let view = view::models(app, caller, call.query("after")?.as_ref()).await?;
    Ok(page(StatusCode::OK, console::models_page(&view)))
}

pub(super) async fn version(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let caller = call.caller()?;
    let version = call.version()?;
    app.registry.ask_for_model(caller, &version).await?;
    let from = view::From { versions: call.query("versions")?, changes: call.query("changes")? };
    let view = view::version(app, caller, &version, from).await?;
    Ok(page(StatusCode::OK, console::model_version_page(&view)))
}

pub(super) async fn overview(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let caller = call.caller()?;
    let view = overview::overview(app, caller, call.query("attention")?.unwrap_or(0)).await?;
    Ok(page(StatusCode::OK, console::overview_page(&view)))
}

pub(super) async fn endpoints(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let caller = call.caller()?;
    app.registry.ask(caller, op::ModelList, ProjectWide).await?;
    let view = endpoints::list(app, caller, call.query("after")?.as_ref()).await?;
    Ok(page(StatusCode::OK, console::endpoints_page(&view)))
}

pub(super) async fn endpoint(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let caller = call.caller()?;
    app.registry.ask(caller, op::ModelList, ProjectWide).await?;
    let view = endpoints::one(app, caller, &call.part("endpoint")?, call.query("changes")?).await?;
    Ok(page(StatusCode::OK, console::endpoint_page(&view)))
}

pub(super) async fn endpoint_events(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.remembered.may_see_numbers(&app.registry, call.caller()?, call.peer).await?;
    let endpoint = call.part("endpoint")?;
    if !app.registry.state().endpoints().contains_key(&endpoint) {
        return Err(Failure::new(ids::NOT_FOUND, "there is no such endpoint"));
    }
    live::stream(app, call, endpoint).map(|response| Answer::Page(Box::new(response)))
}

pub(super) async fn data_sets(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let caller = call.caller()?;
    app.registry.ask(caller, op::DataList, ProjectWide).await?;
    let view = assets::data_sets(app, caller, call.query("after")?.as_ref()).await?;
    Ok(page(StatusCode::OK, console::data_sets_page(&view)))
}

pub(super) async fn runs(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let caller = call.caller()?;
    app.registry.ask(caller, op::ModelList, ProjectWide).await?;
    let view = assets::runs(app, caller, call.query("before")?).await?;
    Ok(page(StatusCode::OK, console::runs_page(&view)))
}

pub(super) async fn lineage(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let Some(thing) = call.query.get("of").cloned() else {
        let view = lineage::beginnings(app, call.caller()?).await?;
        return Ok(page(StatusCode::OK, console::lineage_page(&view)));
    };
    let direction = match call.query.get("direction").map(String::as_str) {
        Some("up") | None => Direction::Up,
        Some("down") => Direction::Down,
        Some(_) => return Err(Failure::new(ids::INVALID, "one goes up or down")),
    };
    let skip = call.query("skip")?.unwrap_or(0);
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let view = lineage::walk(app, caller, &thing, direction, skip).await?;
    Ok(page(StatusCode::OK, console::lineage_page(&view)))
}

pub(super) async fn ledger(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let caller = call.caller()?;
    app.registry.ask(caller, op::LedgerShow, ProjectWide).await?;
    let wanted = call.query.get("show").map_or(Shown::Statements.as_str(), String::as_str);
    let shown = Shown::ALL.into_iter().find(|shown| shown.as_str() == wanted);
    let shown = shown.ok_or_else(|| Failure::new(ids::INVALID, "there are no such entries"))?;
    let view = ledger::list(app, caller, shown, call.query("before")?).await?;
    Ok(page(StatusCode::OK, console::ledger_page(&view)))
}

pub(super) async fn entry(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let caller = call.caller()?;
    app.registry.ask(caller, op::LedgerShow, ProjectWide).await?;
    let view = ledger::entry(app, caller, call.part("index")?).await?;
    Ok(page(StatusCode::OK, console::entry_page(&view)))
}

pub(super) async fn asset(_: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let path = format!("/assets/{}", call.path.get("file").map_or("", String::as_str));
    let found = console::assets().iter().find(|asset| asset.path == path);
    let asset = found.ok_or_else(|| Failure::new(ids::NOT_FOUND, "there is no such file"))?;
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok(Answer::Page(Box::new((headers, asset.body).into_response())))
}

pub(super) async fn sign_in_form(_: &Arc<App>, _: Call) -> Result<Answer, Failure> {
    Ok(page(StatusCode::OK, console::sign_in_page(false)))
}

pub(super) async fn sign_in(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    from_our_page(&call.headers)?;
    let bytes = small(call.body, FORM_BYTES).await?;
    let text = String::from_utf8_lossy(&bytes);
    // An API key is made of letters, digits and underscores, so a form does not escape anything in it.
    let key = text.split('&').find_map(|field| field.strip_prefix("key=")).unwrap_or_default();
    let admitted = ApiKey::parse(key.trim()).and_then(|key| app.registry.admit(&key, call.peer));
    let Ok(admitted) = admitted else {
        return Ok(page(StatusCode::UNAUTHORIZED, console::sign_in_page(true)));
    };
    go_on(console::OVERVIEW_PATH, &app.sessions.open(admitted, call.peer))
}

/// Ends the session that the cookie names, if there is one.
pub(super) async fn sign_out(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    from_our_page(&call.headers)?;
    go_on(SIGN_IN_PATH, &app.sessions.close(&call.headers))
}

/// Whether a form was sent from a page of this server. Browsers of today say so themselves, also when a proxy in
/// front changes the name; no page can make them say it wrongly. Older ones say which page it was.
fn from_our_page(headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(&header::HOST).unwrap_or_default();
    let ours = match text(&SEC_FETCH_SITE) {
        Some(site) => site == "same-origin",
        None => text(&header::ORIGIN)
            .is_some_and(|origin| origin == format!("http://{host}") || origin == format!("https://{host}")),
    };
    if ours {
        Ok(())
    } else {
        Err(Failure::new(ids::NOT_AUTHENTICATED, "the form was sent from another page"))
    }
}

fn go_on(to: &'static str, cookie: &str) -> Result<Answer, Failure> {
    let cookie = HeaderValue::from_str(cookie).map_err(|error| Failure::of(ids::INTERNAL, &error))?;
    let headers = [(header::LOCATION, HeaderValue::from_static(to)), (header::SET_COOKIE, cookie)];
    Ok(Answer::Page(Box::new((StatusCode::SEE_OTHER, headers).into_response())))
}

/// Where somebody without a session is sent.
pub(super) fn to_sign_in() -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, SIGN_IN_PATH)]).into_response()
}

/// The page for something that went wrong. Unknown and forbidden look alike.
pub(super) fn failure_page(failure: &Failure) -> Response {
    let hidden = matches!(failure.id.as_str(), ids::NOT_FOUND | ids::REFUSED | ids::INVALID);
    if hidden {
        return respond(StatusCode::NOT_FOUND, console::not_found_page());
    }
    let status = StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let view = console::view::ErrorView {
        status: status.as_u16(),
        title: failure.what.clone(),
        advice: failure.next.clone(),
        code: Some(failure.id.clone()),
    };
    respond(status, console::error_page(&view))
}

fn page(status: StatusCode, markup: maud::Markup) -> Answer {
    Answer::Page(Box::new(respond(status, markup)))
}

fn respond(status: StatusCode, markup: maud::Markup) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, console::CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, markup.into_string()).into_response()
}
