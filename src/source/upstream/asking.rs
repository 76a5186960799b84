//! A question to the other server, and what is found in the answer.

use std::io;
use std::rc::Rc;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use bytes::BytesMut;
use futures_util::TryStreamExt;
use hyper::HeaderMap;
use hyper::Request;
use hyper::Response;
use hyper::StatusCode;
use hyper::Uri;
use hyper::header;
use hyper::header::HeaderValue;
use mime_guess::Mime;
use mime_guess::mime;
use tokio::time::timeout;

use crate::content::Hasher;
use crate::content::Version;
use crate::content::kind;
use crate::content::kind::Kind;
use crate::content::varying;
use crate::content::varying::Outcome;
use crate::site::ServerUrl;
use crate::site::SitePath;
use crate::source::upstream::client::Answer;
use crate::source::upstream::client::Client;
use crate::source::upstream::decode;
use crate::source::upstream::decode::Coding;
use crate::source::upstream::known::Answered;
use crate::source::upstream::known::Contents;
use crate::source::upstream::known::LARGEST_TEXT;
use crate::source::upstream::known::Question;
use crate::source::upstream::outgoing::Outgoing;

/// How long an answer may take, for us. Who opens a page may wait for as long as they like.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many bytes of an answer are read to see whether it is another one.
const LARGEST: u64 = 64 << 20;

/// How long the head of an answer may take at least, until the server counts as one that starts again; and how many times as long
/// as before.
const HUNG: Duration = Duration::from_secs(1);
const SLOWER: u32 = 3;

/// How long to wait until a clock shows another second.
const SECOND: Duration = Duration::from_millis(1100);

/// Asks another server.
#[derive(Clone)]
pub(super) struct Asker {
    pub(super) client: Client,
    pub(super) server: ServerUrl,
    pub(super) directory: SitePath,
    /// The largest contents that are pushed, in bytes.
    pub(super) max_push: u64,
    /// Is called when an answer takes longer than it should.
    pub(super) hung: Rc<dyn Fn()>,
}

/// What has come of a question.
pub(super) enum Reply {
    /// It is still what it was.
    Same,
    /// It is this now.
    Other(Answered, Contents),
}

/// The server is away, in words for people: `refuses connections`.
pub(super) type Why = String;

impl Asker {
    /// Whether the answer is another one than before, and not only because it is another one each time.
    pub(super) async fn has_changed(&self, question: &Question, before: &Answered) -> Result<(Reply, Duration), Why> {
        let (first, took) = self.ask(question, before.etag.as_ref()).await?;
        let now = match first {
            Reply::Other(now, contents) if before.hash.is_none() || now.hash != before.hash => {
                if before.hash.is_none() || now.is_file {
                    return Ok((Reply::Other(now, contents), took));
                }
                now
            }
            _ => return Ok((Reply::Same, took)),
        };
        let text =
            |answered: &Answered| answered.text.as_deref().and_then(|text| String::from_utf8(text.to_vec()).ok());
        let (old, new) = (text(before), text(&now));
        // Once more, without a save in between.
        let Reply::Other(mut second, mut contents) = self.ask(question, None).await?.0 else {
            return Ok((Reply::Same, took));
        };
        let (Some(old), Some(new), Some(again)) = (old, new, text(&second)) else {
            // Of what is no text, or a large one, nobody can say what varies in it.
            let has_changed = second.hash == now.hash;
            return Ok((if has_changed { Reply::Other(second, contents) } else { Reply::Same }, took));
        };
        let mut outcome = varying::compare(&old, &new, &[&again]);
        if outcome == Outcome::Perhaps && !now.is_code {
            tokio::time::sleep(SECOND).await;
            let Reply::Other(third, later) = self.ask(question, None).await?.0 else { return Ok((Reply::Same, took)) };
            outcome = varying::compare(&old, &new, &[&again, &text(&third).unwrap_or_default()]);
            (second, contents) = (third, later);
        }
        Ok((if outcome == Outcome::Same { Reply::Same } else { Reply::Other(second, contents) }, took))
    }

    /// What is answered now, and how long its head took. `Same` where the server says so of what has this tag, and where there is no
    /// answer to its end.
    pub(super) async fn ask(&self, question: &Question, etag: Option<&HeaderValue>) -> Result<(Reply, Duration), Why> {
        let start = Instant::now();
        let head = self.head(question, etag, &*self.hung).await?;
        let took = start.elapsed();
        let Some(response) = head else {
            let why = format!("{} does not answer within {} s", self.server, PATIENCE.as_secs());
            return Ok((Reply::Other(Answered::default(), Contents::Refused(why)), took));
        };
        // Whoever has sent a head is there. A body that takes longer is not known.
        let reply = timeout(PATIENCE.max(question.took * SLOWER), self.read(response, etag.is_some())).await;
        Ok((reply.unwrap_or(Reply::Same), took))
    }

    /// Whether it is there, as far as the head of an answer says.
    pub(super) async fn is_there(&self, question: &Question) -> Result<(), Why> {
        self.head(question, None, &|| ()).await.map(drop)
    }

    /// The head of an answer. `None` if there is none, and nobody knows how long it takes.
    async fn head(
        &self,
        question: &Question,
        etag: Option<&HeaderValue>,
        hung: &dyn Fn(),
    ) -> Result<Option<Response<Answer>>, Why> {
        let url = self.server.of_ours(&self.directory, &question.url);
        // What was asked once can be asked again.
        let Ok(url) = url.parse::<Uri>() else { return Ok(None) };
        let make = || {
            let mut request = Request::new(Outgoing::default());
            request.headers_mut().clone_from(&question.headers);
            if let Some(etag) = etag {
                request.headers_mut().insert(header::IF_NONE_MATCH, etag.clone());
            }
            request.uri_mut().clone_from(&url);
            request
        };
        let mut sent = std::pin::pin!(self.client.ask(make));
        let is_known = question.took > Duration::ZERO;
        let (slow, patience) = (HUNG.max(question.took * SLOWER), PATIENCE.max(question.took * SLOWER));
        let sent = match timeout(if is_known { slow } else { patience }, sent.as_mut()).await {
            Err(_) if is_known => {
                hung();
                timeout(patience.saturating_sub(slow), sent).await
            }
            sent => sent,
        };
        match sent {
            Ok(Ok(response)) if is_away(response.status()) => Err(format!("answers {}", response.status())),
            Ok(Ok(response)) => Ok(Some(response)),
            Ok(Err(failure)) => Err(failure.to_string()),
            Err(_) if is_known => Err("does not answer".to_owned()),
            Err(_) => Ok(None),
        }
    }

    /// What an answer is.
    async fn read(&self, response: Response<Answer>, has_tag: bool) -> Reply {
        let status = response.status();
        let (head, body) = response.into_parts();
        if status == StatusCode::NOT_MODIFIED && has_tag {
            return Reply::Same;
        }
        if !status.is_success() {
            return self.refused(status, &head.headers);
        }
        let Ok(coding) = Coding::of(&head.headers) else {
            let why = format!("{} answers in a coding that is not known here", self.server);
            return Reply::Other(Answered::default(), Contents::Refused(why));
        };
        let media_type = media_type_of(&head.headers);
        // That of another server's own stream never ends.
        if media_type == mime::TEXT_EVENT_STREAM {
            return Reply::Same;
        }
        let read = Read::all(decode::decoded(body, coding), self.max_push).await;
        // If it has ended in the midst of an answer, it will be asked again.
        let Ok(read) = read else { return Reply::Same };
        let contents = match read.bytes {
            Some(bytes) => Contents::Whole(bytes, kind::of_media_type(&media_type)),
            None => Contents::Large(read.length, read.version),
        };
        Reply::Other(answered(&head.headers, Some(read.version), contents.text()), contents)
    }

    /// What is no success has a version, too.
    fn refused(&self, status: StatusCode, headers: &HeaderMap) -> Reply {
        let to = headers.get(header::LOCATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let version = Version::of(&[status.as_str().as_bytes(), to].concat());
        let contents = match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Contents::Missing,
            status => Contents::Refused(format!("{} answers {status}", self.server)),
        };
        let version = if matches!(contents, Contents::Missing) { Version::ABSENT } else { version };
        Reply::Other(Answered { hash: Some(version), ..Answered::default() }, contents)
    }
}

/// Whether a proxy in front of the other server says that it is away.
pub(super) fn is_away(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

impl Contents {
    fn text(&self) -> Option<Bytes> {
        match self {
            Self::Whole(bytes, Kind::Document | Kind::Text) if bytes.len() <= LARGEST_TEXT => Some(bytes.clone()),
            _ => None,
        }
    }
}

/// What the head of an answer says of it.
pub(super) fn answered(headers: &HeaderMap, hash: Option<Version>, text: Option<Bytes>) -> Answered {
    let is_file = headers.contains_key(header::LAST_MODIFIED);
    // A server that knows seconds only may have the same tag for two saves within one of them (RFC 9110, section 8.8.2.2).
    let is_sure = !is_file || is_old(headers);
    let etag = headers.get(header::ETAG).filter(|_| is_sure).cloned();
    let media_type = media_type_of(headers);
    let is_code = media_type.subtype() == mime::CSS || media_type.subtype() == mime::JAVASCRIPT;
    Answered { hash, text, etag, is_file, is_code }
}

/// Whether what was answered had not been changed within the last seconds.
fn is_old(headers: &HeaderMap) -> bool {
    let time = |name| headers.get(name).and_then(|value: &HeaderValue| httpdate(value.to_str().ok()?));
    let (modified, date) = (time(header::LAST_MODIFIED), time(header::DATE));
    modified.zip(date).is_some_and(|(modified, date)| modified + 2 < date)
}

/// The seconds of a date, on some scale: `Sat, 28 Nov 2026 16:30:00 GMT` (RFC 9110, section 5.6.7).
fn httpdate(text: &str) -> Option<i64> {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    time::PrimitiveDateTime::parse(text, format).ok().map(|time| time.assume_utc().unix_timestamp())
}

/// The media type of an answer.
pub(super) fn media_type_of(headers: &HeaderMap) -> Mime {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()?.parse().ok());
    said.unwrap_or(mime::APPLICATION_OCTET_STREAM)
}

/// A body that was read.
pub(super) struct Read {
    pub(super) version: Version,
    pub(super) length: u64,
    /// All of it, if it was not too large.
    pub(super) bytes: Option<Bytes>,
}

impl Read {
    /// Reads a body to its end, or as far as it matters.
    pub(super) async fn all(mut body: decode::Body, most: u64) -> io::Result<Self> {
        let (mut hasher, mut length, mut kept) = (Hasher::default(), 0, Some(BytesMut::new()));
        while let Some(part) = body.try_next().await? {
            hasher.update(&part);
            length += part.len() as u64;
            // What is decoded is there at once.
            tokio::task::consume_budget().await;
            match &mut kept {
                Some(bytes) if length <= most => bytes.extend_from_slice(&part),
                kept => *kept = None,
            }
            if length > LARGEST {
                break;
            }
        }
        Ok(Self { version: hasher.version(), length, bytes: kept.map(BytesMut::freeze) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_believed_when_the_file_has_been_at_rest() {
        let answered = |modified: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ETAG, HeaderValue::from_static("\"a\""));
            headers.insert(header::DATE, HeaderValue::from_static("Sat, 28 Nov 2026 16:30:10 GMT"));
            modified.map(|modified| headers.insert(header::LAST_MODIFIED, HeaderValue::from_static(modified)));
            let answered = answered(&headers, None, None);
            (answered.etag.is_some(), answered.is_file)
        };
        assert_eq!(answered(None), (true, false));
        assert_eq!(answered(Some("Sat, 28 Nov 2026 16:30:07 GMT")), (true, true));
        assert_eq!(answered(Some("Sat, 28 Nov 2026 16:30:08 GMT")), (false, true));
        assert_eq!(answered(Some("yesterday")), (false, true));
    }
}
