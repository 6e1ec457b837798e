//! Pages that hosts publish for everybody. Reading one asks for no account, so that nobody is told who reads what.

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use mecum_sync::limits::MAX_PUBLISHED_BYTES;
use mecum_sync::{PageName, RefusalCode};

use super::{Context, Refused, author, body, policy};
use crate::store::PublicPage;

/// The page, if its number is higher than the one in the path; no content where there is none that is newer.
pub(super) async fn get(
    State(context): State<Context>,
    Path((name, number)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let (name, number) = parse(&name, &number)?;
    let page = context.shared.blocking(move |store| store.public_page(name)).await?;
    let page = page.ok_or(RefusalCode::NotFound)?;
    if page.number <= number {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], page.body).into_response())
}

/// Publishes a page under this number.
pub(super) async fn put(
    State(context): State<Context>,
    Path((name, number)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refused> {
    let shared = &context.shared;
    let (name, number) = parse(&name, &number)?;
    let (author, _) = author(shared, request.headers())?;
    policy::live(&context, author).await?;
    let now_ms = shared.now_ms();
    // SQLite's integers are signed.
    if number == 0 || i64::try_from(number).is_err() {
        return Err(RefusalCode::Malformed.into());
    }
    let body =
        body::read(request.into_body(), MAX_PUBLISHED_BYTES, shared.options.limits.body_timeout).await?;
    let page = PublicPage { number, body };
    // What replaces nothing is answered by looking, and is not counted: it costs no write.
    if let Some(there) = shared.blocking(move |store| store.public_page(name)).await?
        && there.number >= number
    {
        return if there == page {
            Ok(StatusCode::NO_CONTENT.into_response())
        } else {
            Err(RefusalCode::AlreadyExists.into())
        };
    }
    if !shared.pages_by_account.take(author.account, now_ms) {
        return Err(RefusalCode::RateLimited.into());
    }
    shared.blocking(move |store| store.put_public_page(author.account, name, page, now_ms)).await??;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn parse(name: &str, number: &str) -> Result<(PageName, u64), Refused> {
    // Any of the 16-byte ids reads the same hexadecimal form.
    let name: mecum_seal::DocumentId = name.parse().map_err(|_| RefusalCode::NotFound)?;
    let plain = !number.starts_with('+');
    let number = number.parse().ok().filter(|_| plain).ok_or(RefusalCode::NotFound)?;
    Ok((*name.as_bytes(), number))
}
