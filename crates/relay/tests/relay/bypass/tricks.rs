//! The tricks: proofs that are none, and HTTP that is meant to be understood in two ways.

use super::{Attempt, Scene};

/// One trick.
pub(super) struct Trick {
    pub(super) name: &'static str,
    pub(super) apply: fn(&Scene, &mut Attempt),
    /// What it makes is no good HTTP, or no good frame or question of that route: a typed 400 or 413 or a closed
    /// connection is as good an answer as 401.
    pub(super) broken: bool,
}

const fn trick(name: &'static str, apply: fn(&Scene, &mut Attempt)) -> Trick {
    Trick { name, apply, broken: false }
}

const fn broken(name: &'static str, apply: fn(&Scene, &mut Attempt)) -> Trick {
    Trick { name, apply, broken: true }
}

fn add(asked: &mut Attempt, header: &str) {
    asked.headers.push(header.to_owned());
}

fn bearer(asked: &mut Attempt, token: &str) {
    asked.headers.push(format!("authorization: Bearer {token}"));
}

/// The token with the hexadecimal digit at this place changed.
fn flipped(scene: &Scene, at: usize) -> String {
    let mut token = scene.owner.token.clone().into_bytes();
    if let Some(digit) = token.get_mut(at) {
        *digit = if *digit == b'0' { b'1' } else { b'0' };
    }
    String::from_utf8(token).unwrap_or_default()
}

/// Puts something behind the last slash but one, or before the last part.
fn last_part(asked: &mut Attempt, change: impl Fn(&str, &str) -> String) {
    let (front, end) = asked.path.rsplit_once('/').unwrap_or(("", ""));
    asked.path = change(front, end);
}

/// A query more, whether there is one or not.
fn query(asked: &mut Attempt, text: &str) {
    let mark = if asked.path.contains('?') { '&' } else { '?' };
    asked.path = format!("{}{mark}{text}", asked.path);
}

pub(super) const TRICKS: &[Trick] = &[
    // Proof of identity.
    trick("no proof", |_, _| {}),
    trick("an empty proof", |_, a| add(a, "authorization: ")),
    trick("a scheme alone", |_, a| add(a, "authorization: Bearer")),
    trick("a short token", |_, a| bearer(a, "00")),
    trick("a token of zeros", |_, a| bearer(a, &"0".repeat(64))),
    trick("a token of ones", |_, a| bearer(a, &"f".repeat(64))),
    trick("a token of no digits", |_, a| bearer(a, &"z".repeat(64))),
    trick("a token of 1,024 digits", |_, a| bearer(a, &"0".repeat(1_024))),
    trick("an expired session", |s, a| bearer(a, &s.expired)),
    trick("a removed device's session", |s, a| bearer(a, &s.removed)),
    trick("another server's session", |s, a| bearer(a, &s.elsewhere)),
    trick("the first digit changed", |s, a| bearer(a, &flipped(s, 0))),
    trick("a digit in the middle changed", |s, a| bearer(a, &flipped(s, 31))),
    trick("the last digit changed", |s, a| bearer(a, &flipped(s, 63))),
    trick("the token in capitals", |s, a| bearer(a, &s.owner.token.to_uppercase())),
    trick("the token and a digit", |s, a| bearer(a, &format!("{}0", s.owner.token))),
    trick("the token less a digit", |s, a| bearer(a, &s.owner.token[..63])),
    trick("the token twice in one line", |s, a| bearer(a, &format!("{0},{0}", s.owner.token))),
    trick("the token on two lines", |s, a| {
        bearer(a, &s.owner.token);
        bearer(a, &s.owner.token);
    }),
    trick("a wrong token, then the token", |s, a| {
        bearer(a, &"0".repeat(64));
        bearer(a, &s.owner.token);
    }),
    trick("two spaces", |s, a| bearer(a, &format!(" {}", s.owner.token))),
    trick("a tab for a space", |s, a| add(a, &format!("authorization: Bearer\t{}", s.owner.token))),
    trick("a quoted token", |s, a| bearer(a, &format!("\"{}\"", s.owner.token))),
    trick("the scheme in lower case", |s, a| add(a, &format!("authorization: bearer {}", s.owner.token))),
    trick("another scheme", |s, a| add(a, &format!("authorization: Basic {}", s.owner.token))),
    trick("no scheme", |s, a| add(a, &format!("authorization: {}", s.owner.token))),
    trick("a proxy's proof", |s, a| add(a, &format!("proxy-authorization: Bearer {}", s.owner.token))),
    trick("another header", |s, a| add(a, &format!("x-authorization: Bearer {}", s.owner.token))),
    trick("a cookie", |s, a| add(a, &format!("cookie: authorization={}", s.owner.token))),
    broken("the token in the query", |s, a| query(a, &format!("authorization=Bearer%20{}", s.owner.token))),
    broken("the token in the body", |s, a| a.body = s.owner.token.clone().into_bytes()),
    trick("the hash of the token, as the server knows it", |s, a| {
        let bytes: mecum_seal::Hash32 = s.owner.token.parse().unwrap_or(mecum_seal::Hash32::ZERO);
        bearer(a, &mecum_seal::sha256(bytes.as_bytes()).to_string());
    }),
    trick("the account's id", |s, a| bearer(a, &s.owner.actor.account.to_string())),
    trick("the device's id, twice", |s, a| bearer(a, &s.owner.actor.device.to_string().repeat(2))),
    trick("the server's key", |s, a| bearer(a, &s.server.pin().to_string())),
    trick("who one is, in a header", |s, a| {
        for name in ["x-user", "x-remote-user", "x-account", "x-device", "remote-user"] {
            add(a, &format!("{name}: {}", s.owner.actor.account));
        }
    }),
    // Methods.
    trick("HEAD", |_, a| "HEAD".clone_into(&mut a.method)),
    trick("OPTIONS", |_, a| "OPTIONS".clone_into(&mut a.method)),
    trick("TRACE", |_, a| "TRACE".clone_into(&mut a.method)),
    trick("DELETE", |_, a| "DELETE".clone_into(&mut a.method)),
    trick("PATCH", |_, a| "PATCH".clone_into(&mut a.method)),
    trick("an invented method", |_, a| "PROPFIND".clone_into(&mut a.method)),
    trick("a method in lower case", |_, a| a.method = a.method.to_lowercase()),
    broken("CONNECT", |_, a| "CONNECT".clone_into(&mut a.method)),
    trick("a method in a header", |_, a| {
        for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
            add(a, &format!("{name}: GET"));
        }
    }),
    broken("a method in the query", |_, a| query(a, "_method=GET")),
    // Who sent it, and to whom.
    trick("from this machine, says a header", |_, a| add(a, "x-forwarded-for: 127.0.0.1")),
    trick("from this machine, say all headers", |_, a| {
        for header in ["forwarded: for=127.0.0.1", "x-real-ip: 127.0.0.1", "x-client-ip: ::1", "via: 1.1 t"] {
            add(a, header);
        }
    }),
    trick("another path, says a header", |_, a| {
        add(a, "x-original-url: /v1/health");
        add(a, "x-rewrite-url: /v1/health");
    }),
    trick("another host, says a header", |_, a| add(a, "x-forwarded-host: localhost")),
    broken("a second host", |_, a| add(a, "host: localhost")),
    trick("a whole address as the target", |_, a| a.path = format!("http://localhost{}", a.path)),
    // Paths.
    broken("a slash at the end", |_, a| a.path.push('/')),
    trick("a slash at the beginning", |_, a| a.path.insert(0, '/')),
    trick("a slash twice", |_, a| last_part(a, |front, end| format!("{front}//{end}"))),
    trick("a dot", |_, a| last_part(a, |front, end| format!("{front}/./{end}"))),
    trick("two dots", |_, a| last_part(a, |front, end| format!("{front}/x/../{end}"))),
    trick("an encoded dot", |_, a| last_part(a, |front, end| format!("{front}/%2e/{end}"))),
    trick("an encoded slash", |_, a| last_part(a, |front, end| format!("{front}%2f{end}"))),
    trick("a semicolon", |_, a| a.path = a.path.replacen("/v1/", "/v1;a=b/", 1)),
    trick("a zero byte", |_, a| a.path = a.path.replacen("/v1/", "/v1%00/", 1)),
    trick("capitals", |_, a| a.path = a.path.to_uppercase()),
    broken("wide letters", |_, a| a.path = a.path.replacen('v', "\u{ff56}", 1)),
    trick("out of the routes and into the folder", |_, a| "/v1/../relay.key".clone_into(&mut a.path)),
    trick("the database", |_, a| "/v1/%2e%2e/relay.sqlite".clone_into(&mut a.path)),
    trick("a debugging page", |_, a| "/debug/pprof".clone_into(&mut a.path)),
    trick("an administrator's page", |_, a| "/v1/admin".clone_into(&mut a.path)),
    trick("another version's path", |_, a| a.path = a.path.replacen("/v1/", "/v2/", 1)),
    // What a request is.
    trick("another type of content", |_, a| add(a, "content-type: application/x-www-form-urlencoded")),
    trick("a page from elsewhere", |_, a| add(a, "origin: https://elsewhere.example")),
    trick("a page from nowhere", |_, a| add(a, "origin: null")),
    trick("a question before a call from elsewhere", |_, a| {
        "OPTIONS".clone_into(&mut a.method);
        add(a, "origin: https://elsewhere.example");
        add(a, "access-control-request-method: POST");
        add(a, "access-control-request-headers: authorization");
    }),
    trick("what a cache has", |_, a| add(a, "if-none-match: *")),
    trick("a part only", |_, a| add(a, "range: bytes=0-0")),
    broken("two lengths", |_, a| add(a, "content-length: 1")),
    broken("a length and chunks", |_, a| add(a, "transfer-encoding: chunked")),
    broken("chunks that are none", |_, a| a.length = Some("transfer-encoding: xchunked".to_owned())),
    broken("a name with a space", |s, a| add(a, &format!("authorization : Bearer {}", s.owner.token))),
    trick("a newer HTTP", |_, a| add(a, "upgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA")),
    trick("an older HTTP", |_, a| a.version = "HTTP/1.0"),
];
