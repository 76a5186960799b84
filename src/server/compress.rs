//! Answers become smaller on their way to other machines. To this one, compressing takes longer than sending.
//!
//! The encoders are those of actix. Its middleware would encode what is small or compressed already, and streams, and would leave a
//! strong `ETag` to what is another sequence of bytes.

use actix_http::encoding::Encoder;
use actix_web::Error;
use actix_web::body::BodySize;
use actix_web::body::EitherBody;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::ContentEncoding;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::Next;

/// What is smaller than this many bytes stays as it is.
const SMALLEST: u64 = 1 << 10;

/// In the order in which we like them.
const ENCODINGS: [(&str, ContentEncoding); 3] =
    [("zstd", ContentEncoding::Zstd), ("br", ContentEncoding::Brotli), ("gzip", ContentEncoding::Gzip)];

/// Media types that become smaller, besides texts and what is made of JSON or XML.
const COMPRESSIBLE: [&str; 12] = [
    "application/javascript",
    "application/json",
    "application/ld+json",
    "application/toml",
    "application/wasm",
    "application/x-ndjson",
    "application/xml",
    "application/yaml",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/x-icon",
];

/// Compresses what other machines ask for, or all, where that makes it smaller.
pub(super) async fn compress<B: MessageBody + 'static>(
    is_for_all: bool,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<Encoder<B>, B>>, Error> {
    let is_local = request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let is_wanted = is_for_all || !is_local;
    let encoding = accepted(request.headers());
    let is_part = request.headers().contains_key(header::RANGE);
    let has_weak = request.headers().get(header::IF_NONE_MATCH).is_some_and(|tags| tags.as_bytes().starts_with(b"W/"));
    let mut response = next.call(request).await?;
    if !is_wanted {
        return Ok(response.map_body(|_, body| EitherBody::right(body)));
    }
    if response.status() == StatusCode::NOT_MODIFIED && has_weak {
        weaken(response.headers_mut());
    }
    let is_small = matches!(response.response().body().size(), BodySize::None | BodySize::Stream)
        || matches!(response.response().body().size(), BodySize::Sized(size) if size < SMALLEST);
    if is_small || !is_compressible(response.headers()) {
        return Ok(response.map_body(|_, body| EitherBody::right(body)));
    }
    let is_whole = !is_part && response.status() != StatusCode::PARTIAL_CONTENT;
    // An encoder says so itself.
    let Some(encoding) = encoding.filter(|_| is_whole) else {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        return Ok(response.map_body(|_, body| EitherBody::right(body)));
    };
    weaken(response.headers_mut());
    response.headers_mut().remove(header::CONTENT_LENGTH);
    Ok(response.map_body(|head, body| EitherBody::left(Encoder::response(encoding, head, body))))
}

/// The encoding that is accepted most, and of several the one that we like most (RFC 9110, section 12.5.3).
fn accepted(headers: &HeaderMap) -> Option<ContentEncoding> {
    let values = headers.get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    let accepted = values.flat_map(|value| value.split(',')).filter_map(|part| {
        let (name, quality) = part.split_once(';').unwrap_or((part, ""));
        let quality = quality.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>).ok()?;
        let known = ENCODINGS.iter().position(|(known, _)| name.trim().eq_ignore_ascii_case(known))?;
        (quality > 0.0).then_some((quality, known))
    });
    let best = accepted.max_by(|(a, first), (b, second)| a.total_cmp(b).then(second.cmp(first)));
    best.map(|(_, known)| ENCODINGS[known].1)
}

fn is_compressible(headers: &HeaderMap) -> bool {
    let Some(media_type) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    !headers.contains_key(header::CONTENT_ENCODING)
        && media_type != "text/event-stream"
        && (media_type.starts_with("text/")
            || media_type.ends_with("+json")
            || media_type.ends_with("+xml")
            || COMPRESSIBLE.contains(&media_type))
}

/// Other bytes of the same version: equal for who asks whether it is the same, and not for who wants to go on in the midst of it.
fn weaken(headers: &mut HeaderMap) {
    let weak = headers.get(header::ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/"));
    let weak = weak.and_then(|tag| HeaderValue::from_str(&format!("W/{}", tag.to_str().ok()?)).ok());
    if let Some(weak) = weak {
        headers.insert(header::ETAG, weak);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_that_is_accepted_is_taken() {
        for (value, expected) in [
            ("gzip, deflate, br, zstd", Some(ContentEncoding::Zstd)),
            ("gzip, deflate", Some(ContentEncoding::Gzip)),
            ("zstd;q=0, BR;q=0.5", Some(ContentEncoding::Brotli)),
            ("br;q=0.1, gzip;q=1", Some(ContentEncoding::Gzip)),
            ("identity", None),
            ("*", None),
            ("gzip;q=x", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(accepted(&headers), expected, "{value}");
        }
    }

    #[test]
    fn what_is_compressed_already_stays_as_it_is() {
        for (media_type, expected) in [
            ("text/html; charset=utf-8", true),
            ("application/json", true),
            ("image/svg+xml", true),
            ("application/wasm", true),
            ("text/event-stream", false),
            ("image/png", false),
            ("font/woff2", false),
            ("application/zip", false),
            ("audio/mpeg", false),
            ("video/mp4", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            assert_eq!(is_compressible(&headers), expected, "{media_type}");
        }
    }
}
