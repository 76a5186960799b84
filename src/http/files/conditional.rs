//! Conditional and range requests (RFC 9110, sections 13 and 14): headers → what to send. Pure.

use std::ops::Range as Span;
use std::time::SystemTime;

use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::http::header::EntityTag;
use actix_web::http::header::IfMatch;
use actix_web::http::header::IfModifiedSince;
use actix_web::http::header::IfNoneMatch;
use actix_web::http::header::IfRange;
use actix_web::http::header::IfUnmodifiedSince;
use actix_web::http::header::Range;

/// What to send of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Span<u64>),
    /// Only that it is still the same.
    NotModified,
    /// Only that it is not what the request depends on.
    PreconditionFailed,
    /// Only how long it is: the range begins behind its end.
    NotSatisfiable,
}

/// Judges a GET or HEAD for a file of `length` bytes.
#[must_use]
pub(super) fn answer(request: &HttpRequest, etag: &EntityTag, modified: Option<SystemTime>, length: u64) -> Answer {
    // HTTP knows seconds only.
    let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let is_newer_than = |time: SystemTime| modified.is_some_and(|modified| since(modified) > since(time));

    // The order is that of RFC 9110, section 13.2.2.
    match (request.get_header::<IfMatch>(), request.get_header::<IfUnmodifiedSince>()) {
        (Some(IfMatch::Items(tags)), _) if !tags.iter().any(|tag| tag.strong_eq(etag)) => {
            return Answer::PreconditionFailed;
        }
        (None, Some(IfUnmodifiedSince(time))) if is_newer_than(time.into()) => return Answer::PreconditionFailed,
        _ => {}
    }
    match (request.get_header::<IfNoneMatch>(), request.get_header::<IfModifiedSince>()) {
        (Some(IfNoneMatch::Any), _) => return Answer::NotModified,
        (Some(IfNoneMatch::Items(tags)), _) if tags.iter().any(|tag| tag.weak_eq(etag)) => return Answer::NotModified,
        (None, Some(IfModifiedSince(time))) if modified.is_some() && !is_newer_than(time.into()) => {
            return Answer::NotModified;
        }
        _ => {}
    }
    if request.method() != Method::GET {
        return Answer::Whole;
    }
    if request.headers().contains_key(header::IF_RANGE) {
        let is_same = match request.get_header::<IfRange>() {
            Some(IfRange::EntityTag(tag)) => tag.strong_eq(etag),
            Some(IfRange::Date(time)) => modified.is_some_and(|modified| since(modified) == since(time.into())),
            None => false,
        };
        if !is_same {
            return Answer::Whole;
        }
    }
    range(request, length)
}

/// One range is answered. More than one, other units and nonsense are answered with the whole, as section 14.2 allows.
fn range(request: &HttpRequest, length: u64) -> Answer {
    let Some(Range::Bytes(ranges)) = request.get_header::<Range>() else { return Answer::Whole };
    let [range] = ranges.as_slice() else { return Answer::Whole };
    match range.to_satisfiable_range(length) {
        Some((first, last)) => Answer::Part(first..last + 1),
        None => Answer::NotSatisfiable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use std::time::Duration;

    const DAY: &str = "Fri, 02 Jan 1970 00:00:00 GMT";
    const DAY_BEFORE: &str = "Thu, 01 Jan 1970 00:00:00 GMT";

    #[track_caller]
    fn check(headers: &[(&'static str, &'static str)], expected: Answer) {
        let mut request = TestRequest::get();
        for header in headers {
            request = request.insert_header(*header);
        }
        let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(86_400_500);
        let answer = answer(&request.to_http_request(), &EntityTag::new_strong("v1".into()), Some(modified), 100);
        assert_eq!(answer, expected, "{headers:?}");
    }

    #[test]
    fn what_the_browser_has_is_not_sent() {
        check(&[], Answer::Whole);
        check(&[("if-none-match", "\"v1\"")], Answer::NotModified);
        check(&[("if-none-match", "W/\"v1\"")], Answer::NotModified);
        check(&[("if-none-match", "\"v0\", \"v1\"")], Answer::NotModified);
        check(&[("if-none-match", "*")], Answer::NotModified);
        check(&[("if-none-match", "\"v0\"")], Answer::Whole);
        check(&[("if-modified-since", DAY)], Answer::NotModified);
        check(&[("if-modified-since", DAY_BEFORE)], Answer::Whole);
        // A second holds many saves, so the tag is what counts.
        check(&[("if-none-match", "\"v0\""), ("if-modified-since", DAY)], Answer::Whole);
    }

    #[test]
    fn a_request_can_depend_on_a_version() {
        check(&[("if-match", "\"v1\"")], Answer::Whole);
        check(&[("if-match", "\"v0\"")], Answer::PreconditionFailed);
        check(&[("if-unmodified-since", DAY)], Answer::Whole);
        check(&[("if-unmodified-since", DAY_BEFORE)], Answer::PreconditionFailed);
    }

    #[test]
    fn parts_are_sent() {
        check(&[("range", "bytes=0-9")], Answer::Part(0..10));
        check(&[("range", "bytes=90-")], Answer::Part(90..100));
        check(&[("range", "bytes=-10")], Answer::Part(90..100));
        check(&[("range", "bytes=-1000")], Answer::Part(0..100));
        check(&[("range", "bytes=50-1000")], Answer::Part(50..100));
        check(&[("range", "bytes=100-")], Answer::NotSatisfiable);
        check(&[("range", "bytes=0-1,5-6")], Answer::Whole);
        check(&[("range", "lines=0-1")], Answer::Whole);
        check(&[("range", "")], Answer::Whole);
        check(&[("range", "bytes=9-0")], Answer::Whole);
        check(&[("range", "bytes=0-9"), ("if-range", "\"v1\"")], Answer::Part(0..10));
        check(&[("range", "bytes=0-9"), ("if-range", "\"v0\"")], Answer::Whole);
        check(&[("range", "bytes=0-9"), ("if-range", DAY)], Answer::Part(0..10));
        check(&[("range", "bytes=0-9"), ("if-range", DAY_BEFORE)], Answer::Whole);
    }
}
