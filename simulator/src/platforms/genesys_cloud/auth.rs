//! Tokens: how they are asked for, how long they live, what they may do, how often.

use std::collections::{BTreeMap, BTreeSet};

use axum::{extract::Request, extract::State, response::Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header::AUTHORIZATION};
use serde_json::json;

use super::{
    GenesysCloud, Site,
    access::{Overrun, Shared},
    endpoint::{self, AuthorizedRequest, Query},
    errors::ApiError,
    limits::{self, MINUTE_MS, Rate, SECOND_MS, Window},
    participant_view::put,
    rules, times,
};
use crate::{
    http::reply::Reply,
    http::request_context,
    operations::{self, Operation},
};

/// Name of the token's limit, as third-party clients match it in the 429.
pub(super) const TOKEN_RATE_KEY: &str = "client.credentials.token.rate.per.minute";
/// Name of the uploads' limit; assumed, no source names one.
const UPLOAD_RATE_KEY: &str = "files.upload.rate.per.second";

/// What a request counts towards.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bucket {
    /// The token's minute.
    Token,
    /// The uploads' second.
    Uploads,
}

/// The tokens given out.
#[derive(Clone, Default)]
pub(super) struct Tokens {
    issued: u64,
    live: BTreeMap<String, Token>,
    shared: Shared,
}
#[derive(Clone)]
struct Token {
    client_id: String,
    expires_at_ms: i64,
    minute: Window,
    uploads: Window,
}

/// A request that was let in.
pub(super) struct Pass {
    pub(super) client_id: String,
    pub(super) token: String,
}

/// POST /oauth/token.
pub(super) async fn issue_token(State(site): Site, request: Request) -> Response {
    let headers = request.headers().clone();
    let body = super::files::small_body(request.into_body()).await;
    let length = body.len() as u64;
    let operation = &operations::GENESYS_CLOUD_ISSUE_TOKEN;
    endpoint::serve(&*site, operation, "-", length, None, async {
        Ok(issue(&site, &headers, &body))
    })
    .await
}

/// GET /api/v2/tokens/me.
pub(super) async fn token_info(incoming: endpoint::IncomingRequest) -> Response {
    incoming
        .answer("-", |site, authorized| {
            Ok(Reply::json(200, &describe(site, authorized)))
        })
        .await
}

/// DELETE /api/v2/tokens/me.
pub(super) async fn end_token(incoming: endpoint::IncomingRequest) -> Response {
    incoming
        .answer("-", |site, authorized| {
            site.mark(&rules::TOKEN_DELETED);
            site.tokens().live.remove(&authorized.token);
            Ok(Reply::empty(200).effect("deleted"))
        })
        .await
}

/// 401 of a token that is unknown or over.
pub(super) fn bad_credentials() -> ApiError {
    ApiError::new(401, "bad.credentials", "Invalid login credentials.")
}

impl GenesysCloud {
    /// Lets a request in by its token, counts it, and asks for what the operation needs. What was
    /// counted is said of a refusal too.
    pub(super) fn admit(
        &self,
        operation: &'static Operation,
        headers: &HeaderMap,
        bucket: Bucket,
    ) -> (Option<Rate>, Result<Pass, ApiError>) {
        let Some(token) = bearer(headers) else {
            return (None, Err(no_token()));
        };
        let Some((client_id, rate, overrun)) = count(self, operation, &token, bucket) else {
            return (None, Err(bad_credentials()));
        };
        let lacking = || {
            self.lacking(operation.needs)
                .map(|scope| self.forbidden(scope))
        };
        let refusal = overrun
            .map(|overrun| one_too_many(self, &overrun))
            .or_else(lacking);
        (
            Some(rate),
            refusal.map_or(Ok(Pass { client_id, token }), Err),
        )
    }

    /// 403 for a permission.
    pub(super) fn forbidden(&self, scope: &str) -> ApiError {
        self.mark(&rules::MISSING_PERMISSIONS);
        ApiError::new(
            403,
            "missing.permissions",
            format!(
                "Unable to perform the requested action. You are missing the following \
                 permission(s): {scope}"
            ),
        )
    }
}

/// The token's client, what the headers say, and the first limit this request went beyond. It
/// counts in all of them.
fn count(
    site: &GenesysCloud,
    operation: &'static Operation,
    token: &str,
    bucket: Bucket,
) -> Option<(String, Rate, Option<Overrun>)> {
    let now = site.core.clock.now_ms();
    let mut tokens = site.tokens();
    let Tokens { live, shared, .. } = &mut *tokens;
    let live = live
        .get_mut(token)
        .filter(|live| live.expires_at_ms > now)?;
    let minute = u64::from(site.settings.requests_per_minute);
    let (rate, own, shared) = match bucket {
        Bucket::Token => {
            let rate = live.minute.count(now, MINUTE_MS, minute);
            let own = Overrun {
                rule: &limits::TOKEN_REQUESTS.rule,
                key: TOKEN_RATE_KEY.into(),
                rate,
            };
            (rate, own, site.count_shared(shared, operation, now))
        }
        Bucket::Uploads => {
            let rate =
                live.uploads
                    .count(now, SECOND_MS, u64::from(site.settings.uploads_per_second));
            let own = Overrun {
                rule: &limits::UPLOADS.rule,
                key: UPLOAD_RATE_KEY.into(),
                rate,
            };
            (
                live.minute.look(now, MINUTE_MS, minute),
                own,
                site.count_shared(shared, operation, now),
            )
        }
    };
    let overrun = Some(own).filter(|own| own.rate.exceeded()).or(shared);
    Some((live.client_id.clone(), rate, overrun))
}

fn one_too_many(site: &GenesysCloud, overrun: &Overrun) -> ApiError {
    site.mark(overrun.rule);
    if overrun.key == TOKEN_RATE_KEY {
        request_context::record_token_limit();
    }
    ApiError::too_many(
        &overrun.key,
        overrun.rate.allowed,
        Some(overrun.rate.reset_s),
    )
}

fn issue(site: &GenesysCloud, headers: &HeaderMap, body: &[u8]) -> Reply {
    let form = Query::of(&String::from_utf8_lossy(body));
    if !endpoint::content_type(headers).eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return oauth_error(
            400,
            "invalid_request",
            "send the grant as application/x-www-form-urlencoded",
        );
    }
    if form.one("grant_type") != Some("client_credentials") {
        return oauth_error(
            400,
            "unsupported_grant_type",
            "grant_type must be client_credentials",
        );
    }
    let (id, secret) = match basic(headers).or_else(|| in_form(&form)) {
        Some(credentials) => credentials,
        None => return oauth_error(400, "invalid_client", "client not found"),
    };
    if id != site.directory().client_id {
        site.mark(&rules::UNKNOWN_CLIENT);
        return oauth_error(400, "invalid_client", "client not found");
    }
    if secret != site.directory().client_secret {
        site.mark(&rules::WRONG_SECRET);
        return oauth_error(401, "invalid_client", "authentication failed");
    }
    let token = new_token(site, &id);
    let life = site.settings.token_seconds;
    request_context::record_token_ttl(life);
    Reply::json(
        200,
        &json!({"access_token": token, "token_type": "bearer", "expires_in": life}),
    )
}

fn new_token(site: &GenesysCloud, client_id: &str) -> String {
    let now = site.core.clock.now_ms();
    let life_ms =
        i64::try_from(site.settings.token_seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
    let mut tokens = site.tokens();
    tokens.live.retain(|_, token| token.expires_at_ms > now);
    tokens.issued += 1;
    let token = format!(
        "gc-{}",
        site.seed()
            .child("token")
            .index(tokens.issued)
            .uuid()
            .simple()
    );
    tokens.live.insert(
        token.clone(),
        Token {
            client_id: client_id.to_owned(),
            expires_at_ms: now.saturating_add(life_ms),
            minute: Window::default(),
            uploads: Window::default(),
        },
    );
    token
}

fn describe(site: &GenesysCloud, authorized: &AuthorizedRequest) -> serde_json::Value {
    let organization = json!({"id": site.seed().child("organization").uuid(), "name": "Seatrial"});
    let ends = site
        .tokens()
        .live
        .get(&authorized.token)
        .map(|token| times::text(token.expires_at_ms));
    let mut body = json!({
        "organization": organization,
        "homeOrganization": organization,
        "authorizedScope": granted(site),
        "OAuthClient": {
            "id": authorized.client_id,
            "name": "migration",
            "authorizedGrantType": "CLIENT-CREDENTIALS",
            "state": "active",
            "organization": organization,
        },
    });
    put(&mut body, "dateTokenIdles", ends);
    body
}

fn granted(site: &GenesysCloud) -> BTreeSet<&'static str> {
    known()
        .filter(|scope| site.lacking(&[*scope]).is_none())
        .collect()
}

/// What is asked for by what a request says, or by nothing here: the rest of what a client may hold
/// stands in the operations table.
const BESIDE_THE_TABLE: [&str; 6] = [
    "recording:deletionProtection:apply",
    "recording:deletionProtection:revoke",
    "recording:recording:restore",
    "recording:recording:viewSensitiveData",
    "user-basic-info",
    "users:readonly",
];

/// Whether anything here asks for a scope or permission.
pub(super) fn is_known(name: &str) -> bool {
    known().any(|known| known == name)
}

/// Everything a client may hold here, some of it more than once.
fn known() -> impl Iterator<Item = &'static str> {
    operations::of(super::NAME)
        .flat_map(|operation| operation.needs.iter().copied())
        .chain(BESIDE_THE_TABLE)
}

fn no_token() -> ApiError {
    ApiError::new(
        401,
        "authentication.required",
        "No authentication bearer token specified in authorization header.",
    )
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, text) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    text.split_once(':')
        .map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}

fn in_form(form: &Query) -> Option<(String, String)> {
    Some((
        form.one("client_id")?.to_owned(),
        form.one("client_secret")?.to_owned(),
    ))
}

fn oauth_error(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": error, "description": description, "error_description": description}),
    )
}
