//! Every route, with what it takes to use it.

use std::sync::Arc;

use super::{
    Answering, App, Call, access, console, data, endpoint, ledger, lineage, metrics, model, predictions,
    project, prove, run, source, tokens, upload,
};

/// What it takes to use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing: it tells nothing.
    Anonymous,
    /// Nothing: it is where one signs in or out.
    SignIn,
    /// A session of the console.
    Page,
    /// An API key, or the data directory itself; the handler asks the policy for the action named.
    Principal,
}

/// One route.
pub(crate) struct Route {
    /// The method.
    pub(crate) method: &'static str,
    /// The path, with `{name}` for its variable parts.
    pub(crate) path: &'static str,
    /// What it takes.
    pub(crate) access: Access,
    /// The action that the policy is asked for; empty where nobody is asked.
    pub(crate) action: &'static str,
    /// What it does.
    pub(crate) handler: for<'a> fn(&'a Arc<App>, Call) -> Answering<'a>,
}

macro_rules! routes {
    ($($method:literal $path:literal $access:ident $action:literal => $handler:path;)*) => {
        /// Every route.
        pub(crate) static ROUTES: &[Route] = &[$(Route {
            method: $method,
            path: $path,
            access: Access::$access,
            action: $action,
            handler: |app, call| Box::pin($handler(app, call)),
        }),*];
    };
}

routes! {
    "GET" "/healthz" Anonymous "" => project::healthz;
    "GET" "/api/v1/hello" Anonymous "" => project::hello;
    "GET" "/api/v1/project" Principal "model.list" => project::show;
    "POST" "/api/v1/project/tier" Principal "project.tier:release" => project::raise_tier;
    "GET" "/api/v1/keys" Principal "keys.list" => project::list_keys;
    "GET" "/api/v1/trust" Principal "keys.export" => project::trust;

    "POST" "/api/v1/uploads" Principal "data.check or model.import or run.start" => upload::upload;
    "GET" "/api/v1/datasets" Principal "data.list" => data::list;
    "POST" "/api/v1/datasets/{name}/versions" Principal "data.add" => data::add;
    "GET" "/api/v1/datasets/{name}/versions/{version}" Principal "data.show" => data::show;

    "GET" "/api/v1/sources" Principal "source.list" => source::list;
    "POST" "/api/v1/sources" Principal "source.add" => source::add;
    "GET" "/api/v1/sources/{source}" Principal "source.list" => source::show;
    "POST" "/api/v1/sources/{source}/keys" Principal "source.add" => source::trust;
    "DELETE" "/api/v1/sources/{source}/keys/{key}" Principal "source.revoke" => source::revoke;
    "POST" "/api/v1/sources/{source}/standing" Principal "source.add or source.revoke" => source::set_standing;

    "GET" "/api/v1/lineage" Principal "lineage.show or predictions.show" => lineage::walk;
    "GET" "/api/v1/lineage/impact" Principal "lineage.show" => lineage::impact;
    "POST" "/api/v1/lineage/events" Principal "lineage.import" => lineage::import;

    "POST" "/api/v1/tokens" Principal "data.tokenize" => tokens::give;
    "POST" "/api/v1/tokens/values" Principal "data.detokenize" => tokens::turn_back;

    "GET" "/api/v1/runs" Principal "model.list" => run::list;
    "POST" "/api/v1/runs" Principal "run.start" => run::start;
    "GET" "/api/v1/runs/{run}" Principal "model.list" => run::show;

    "GET" "/api/v1/models" Principal "model.list" => model::list;
    "POST" "/api/v1/models/{name}/versions" Principal "model.import" => model::import;
    "GET" "/api/v1/models/{name}/versions/{version}" Principal "model.show" => model::show;
    "GET" "/api/v1/models/{name}/versions/{version}/verification" Principal "model.verify" => model::verify;
    "GET" "/api/v1/models/{name}/versions/{version}/proof" Principal "prove" => model::prove;
    "POST" "/api/v1/models/{name}/versions/{version}/approvals" Principal "model.approve" => model::approve;
    "POST" "/api/v1/models/{name}/versions/{version}/quarantine" Principal "model.quarantine" => model::quarantine;
    "POST" "/api/v1/models/{name}/versions/{version}/retirement" Principal "model.retire" => model::retire;
    "POST" "/api/v1/models/{name}/versions/{version}/revocation" Principal "model.revoke" => model::revoke;
    "POST" "/api/v1/models/{name}/aliases/{alias}" Principal "model.alias.set" => model::set_alias;

    "GET" "/api/v1/endpoints" Principal "model.list" => endpoint::list;
    "POST" "/api/v1/endpoints" Principal "endpoint.create" => endpoint::create;
    "GET" "/api/v1/endpoints/{endpoint}" Principal "model.list" => endpoint::show;
    "POST" "/api/v1/endpoints/{endpoint}" Principal "endpoint.route" => endpoint::route;
    "POST" "/api/v1/endpoints/{endpoint}/rollback" Principal "endpoint.rollback" => endpoint::roll_back;
    "DELETE" "/api/v1/endpoints/{endpoint}" Principal "endpoint.disable" => endpoint::disable;

    "POST" "/api/v1/predictions/search" Principal "predictions.show or predictions.read" => predictions::search;
    "GET" "/api/v1/predictions/erasures" Principal "predictions.show" => predictions::erasures;
    "POST" "/api/v1/predictions/erasures" Principal "predictions.erase" => predictions::erase;
    "GET" "/api/v1/predictions/{id}" Principal "predictions.show or predictions.read" => predictions::show;

    "GET" "/api/v1/predictions/{id}/proof" Principal "prove or predictions.show or predictions.read" => prove::prove;
    "POST" "/api/v1/predictions/{id}/replay" Principal "predictions.read" => prove::again;

    "GET" "/api/v1/ledger/entries" Principal "ledger.show" => ledger::list;
    "GET" "/api/v1/ledger/entries/{index}" Principal "ledger.show" => ledger::show;
    "GET" "/api/v1/ledger/entries/{index}/proof" Principal "ledger.proof" => ledger::prove;
    "GET" "/api/v1/ledger/fsck" Principal "ledger.fsck" => ledger::check;

    "GET" "/metrics" Principal "model.list" => metrics::show;

    "GET" "/api/v1/principals" Principal "access.user.list" => access::list_users;
    "POST" "/api/v1/principals" Principal "access.user.add" => access::add_user;
    "POST" "/api/v1/principals/{who}/standing" Principal "access.user.disable" => access::set_standing;
    "POST" "/api/v1/principals/{who}/roles" Principal "access.role.grant" => access::change_role;
    "POST" "/api/v1/principals/{who}/keys" Principal "access.key.issue" => access::issue_key;
    "GET" "/api/v1/principals/{who}/explanation" Principal "access.explain" => access::explain;
    "GET" "/api/v1/api-keys" Principal "access.key.list" => access::list_keys;
    "POST" "/api/v1/api-keys" Principal "access.key.claim" => access::claim_key;
    "DELETE" "/api/v1/api-keys/{id}" Principal "access.key.revoke" => access::revoke_key;

    "GET" "/" Page "model.list" => console::overview;
    "GET" "/endpoints" Page "model.list" => console::endpoints;
    "GET" "/endpoints/{endpoint}" Page "model.list" => console::endpoint;
    "GET" "/endpoints/{endpoint}/events" Page "model.list" => console::endpoint_events;
    "GET" "/models" Page "model.list" => console::models;
    "GET" "/models/{name}/{version}" Page "model.show" => console::version;
    "GET" "/datasets" Page "data.list" => console::data_sets;
    "GET" "/lineage" Page "lineage.show or predictions.show" => console::lineage;
    "GET" "/runs" Page "model.list" => console::runs;
    "GET" "/ledger" Page "ledger.show" => console::ledger;
    "GET" "/ledger/{index}" Page "ledger.show" => console::entry;
    "GET" "/signin" SignIn "" => console::sign_in_form;
    "POST" "/signin" SignIn "" => console::sign_in;
    "POST" "/signout" SignIn "" => console::sign_out;
    "GET" "/assets/{file}" Anonymous "" => console::asset;
}
