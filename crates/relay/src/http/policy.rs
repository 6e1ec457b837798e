//! Who may call each route, and how much it may send. The router is made from this table and from nothing else, and every
//! request passes its route's policy before the handler sees it: a route without a policy cannot be written.

use std::net::IpAddr;

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use mecum_sync::RefusalCode;
use mecum_sync::limits::{
    MAX_MAILBOX_BYTES, MAX_PUBLISHED_BYTES, MAX_RECOVER_BYTES, MAX_REQUEST_BYTES, MAX_SMALL_FRAME_BYTES,
};

use super::{
    Context, Refused, author, health, helping, mailbox, metrics, publishing, recover, sign_in, sync, wake,
};
use crate::accept::Peer;
use crate::bucket::source_of;
use crate::store::Author;

/// What a proxy adds to what it hands on: such a request is not from this machine, wherever it was handed in.
const FORWARDING_HEADERS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Anybody: it tells nothing about anybody.
    Anyone,
    /// Anybody with a one-time code, and so few guesses for each source.
    Code,
    /// Anybody with a device's key: it is how a session begins.
    DeviceKey,
    /// Anybody with an account's recovery key: it is how an account comes back with no device.
    RecoveryKey,
    /// Anybody with the key of the fresh device that asked for an account by its helpers.
    AskersKey,
    /// Anybody with the key of a live device of an account, or with its kit's.
    AccountKey,
    /// Who knows a mailbox's 128-bit name. To keep one for days takes a session too.
    MailboxName,
    /// Who knows a page's 128-bit name may read it. To publish it takes the session of a host.
    PageName,
    /// A live device of an account, by its session. A session ends with its device.
    Session,
    /// This machine itself, and not through a proxy.
    ThisMachine,
}

/// One route and its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// Its name in log lines and counters.
    pub name: &'static str,
    /// Its path; a part in braces stands for anything but a slash.
    pub path: &'static str,
    /// The methods that it answers. Any other is 404.
    pub methods: &'static [&'static str],
    /// Who may call it.
    pub access: Access,
    /// Most bytes that a request may bring. A request that says it brings more is refused before it is read.
    pub max_body_bytes: usize,
}

/// A route with what answers it.
struct Served {
    route: Route,
    handler: fn() -> MethodRouter<Context>,
}

const fn served(
    name: &'static str,
    path: &'static str,
    methods: &'static [&'static str],
    (access, max_body_bytes): (Access, usize),
    handler: fn() -> MethodRouter<Context>,
) -> Served {
    Served { route: Route { name, path, methods, access, max_body_bytes }, handler }
}

const GET: &[&str] = &["GET"];
const POST: &[&str] = &["POST"];

const ROUTES: &[Served] = &[
    served("enrol", "/v1/enrol", POST, (Access::Code, MAX_SMALL_FRAME_BYTES), || post(sign_in::enrol)),
    served("challenge", "/v1/challenge", POST, (Access::Anyone, 0), || post(sign_in::challenge)),
    served("session", "/v1/session", POST, (Access::DeviceKey, MAX_SMALL_FRAME_BYTES), || {
        post(sign_in::session)
    }),
    served("recover", "/v1/recover", POST, (Access::RecoveryKey, MAX_RECOVER_BYTES), || {
        post(recover::recover)
    }),
    served("helpers-ask", "/v1/helpers/ask", POST, (Access::Anyone, MAX_SMALL_FRAME_BYTES), || {
        post(helping::ask)
    }),
    served("helpers-fetch", "/v1/helpers/fetch", POST, (Access::AskersKey, MAX_SMALL_FRAME_BYTES), || {
        post(helping::fetch)
    }),
    served("helpers-stop", "/v1/helpers/stop", POST, (Access::AccountKey, MAX_SMALL_FRAME_BYTES), || {
        post(helping::stop)
    }),
    served("helpers-part", "/v1/helpers/part", POST, (Access::Session, MAX_SMALL_FRAME_BYTES), || {
        post(helping::part)
    }),
    served("sync", "/v1/sync", POST, (Access::Session, MAX_REQUEST_BYTES), || post(sync::sync)),
    served("wake", "/v1/wake", GET, (Access::Session, 0), || get(wake::wake)),
    served(
        "mailbox",
        "/v1/mailbox/{mailbox}/{slot}",
        &["GET", "PUT"],
        (Access::MailboxName, MAX_MAILBOX_BYTES),
        || get(mailbox::get).put(mailbox::put),
    ),
    served(
        "page",
        "/v1/page/{page}/{number}",
        &["GET", "PUT"],
        (Access::PageName, MAX_PUBLISHED_BYTES),
        || get(publishing::get).put(publishing::put),
    ),
    served("server", "/v1/server", GET, (Access::Anyone, 0), || get(sign_in::server)),
    served("health", "/v1/health", GET, (Access::Anyone, 0), || get(health)),
    served("metrics", "/v1/metrics", GET, (Access::ThisMachine, 0), || get(metrics)),
];

/// Every route that the relay answers, with its policy.
pub fn routes() -> impl Iterator<Item = Route> {
    ROUTES.iter().map(|served| served.route)
}

/// The router, each route behind its policy.
pub(super) fn router(context: &Context) -> axum::Router<Context> {
    let mut router = axum::Router::new();
    for served in ROUTES {
        let state = (context.clone(), served.route);
        let handler = (served.handler)().fallback(nothing_here);
        router = router.route(served.route.path, handler.layer(middleware::from_fn_with_state(state, admit)));
    }
    router.fallback(nothing_here)
}

/// A path or method that is not in the table.
async fn nothing_here() -> Refused {
    Refused(RefusalCode::NotFound.into())
}

/// Holds a request against the policy of its route.
async fn admit(State((context, route)): State<(Context, Route)>, request: Request, next: Next) -> Response {
    let admitted = match allowed(&context, &route, &request) {
        Ok(Some(author)) => live(&context, author).await,
        Ok(None) => Ok(()),
        Err(refused) => Err(refused),
    };
    match admitted {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// What can be said without the database; for a session, whose it is.
fn allowed(context: &Context, route: &Route, request: &Request) -> Result<Option<Author>, Refused> {
    let method = request.method().as_str();
    // The router answers HEAD where it answers GET.
    let answered = if method == "HEAD" { "GET" } else { method };
    if !route.methods.contains(&answered) {
        return Err(RefusalCode::NotFound.into());
    }
    let author = match route.access {
        Access::Anyone
        | Access::Code
        | Access::DeviceKey
        | Access::RecoveryKey
        | Access::AskersKey
        | Access::AccountKey
        | Access::MailboxName
        | Access::PageName => None,
        Access::Session => Some(author(&context.shared, request.headers())?.0),
        Access::ThisMachine if is_this_machine(request) => None,
        Access::ThisMachine => return Err(RefusalCode::NotFound.into()),
    };
    if request.body().size_hint().lower() > route.max_body_bytes as u64 {
        return Err(RefusalCode::TooLarge.into());
    }
    Ok(author)
}

/// The session is of a device that its account has now. If not, the device's sessions end.
pub(super) async fn live(context: &Context, author: Author) -> Result<(), Refused> {
    let shared = &context.shared;
    let card = shared.blocking(move |store| store.device(author.account, author.device)).await?;
    if card.is_none() {
        shared.sessions.end(author.account, author.device);
        return Err(RefusalCode::UnknownDevice.into());
    }
    Ok(())
}

fn is_this_machine(request: &Request) -> bool {
    let forwarded = FORWARDING_HEADERS.iter().any(|name| request.headers().contains_key(*name));
    let peer = request.extensions().get::<Peer>();
    !forwarded && peer.is_some_and(|peer| peer.source.to_canonical().is_loopback())
}

/// The name of the route of a path, without what a path may hold.
pub(super) fn route_name(path: &str) -> &'static str {
    let is_of = |route: &Route| {
        let mut parts = path.split('/');
        let same = route
            .path
            .split('/')
            .all(|wanted| parts.next().is_some_and(|part| wanted.starts_with('{') || part == wanted));
        same && parts.next().is_none()
    };
    routes().find(is_of).map_or("other", |route| route.name)
}

/// Who a request is from, as rates count: the peer, or whom a proxy in front of this server names. Of an IPv6 address only the
/// network counts.
pub(super) fn source(request: &Request, proxies: &[IpAddr]) -> Option<IpAddr> {
    let peer = request.extensions().get::<Peer>()?.source.to_canonical();
    if !proxies.iter().any(|proxy| proxy.to_canonical() == peer) {
        return Some(source_of(peer));
    }
    // The last address is the one that the proxy itself saw; what stands before it, the client may have written.
    let named = request.headers().get_all("x-forwarded-for").iter().next_back();
    let named = named.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    Some(source_of(named.unwrap_or(peer)))
}
