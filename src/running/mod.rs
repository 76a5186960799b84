//! What the command asks of a server that is running: `savecast status`, `reload` and `publish`.

mod error;
mod words;

use std::fs;
use std::io;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use actix_web::rt;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use hyper::Method;
use hyper::Request;
use hyper::StatusCode;
use hyper::header;
use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;
use serde_json::Value;

use crate::console::json::json_line;
use crate::http::urls::CHANNELS;
use crate::http::urls::OVERVIEW;
use crate::http::urls::RELOAD;
use crate::http::urls::STATUS;
pub use crate::running::error::RunningError;
use crate::site::ServerUrl;
use crate::site::SitePath;
use crate::site::server_url::Endpoint;
use crate::source::upstream::client::Client;
use crate::source::upstream::outgoing::Outgoing;
use crate::source::upstream::tls;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest answer that is read, in bytes.
const LARGEST: usize = 16 << 20;

/// The largest event that a server takes, in bytes.
const EVENT: usize = 1 << 20;

/// What a name looks like in a path. A slash separates its parts.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What is asked of a server that is running.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which one.
    pub server: ServerUrl,
    /// What it is to do.
    pub wish: Wish,
}

/// What a server is to do.
#[derive(Clone, Debug)]
pub enum Wish {
    /// Say what it is doing; in JSON, if that is wanted.
    Status {
        /// Whether JSON is wanted.
        json: bool,
    },
    /// Have all pages loaded again.
    Reload {
        /// Where the token is with which this is allowed.
        token: Option<PathBuf>,
    },
    /// Publish to a channel.
    Publish {
        /// Its name.
        channel: String,
        /// The name of the event, if it has one.
        event: Option<String>,
        /// The data; `None` if they come on standard input.
        data: Option<String>,
        /// Where the token is with which this is allowed.
        token: Option<PathBuf>,
    },
}

/// Asks, and returns what the person is told.
///
/// # Errors
///
/// If the server can't be reached, or does not do it.
pub fn ask(question: &Question) -> Result<String, RunningError> {
    let Question { server, wish } = question;
    let asked = rt::System::new().block_on(async {
        match wish {
            Wish::Status { json: true } => send(server, Method::GET, STATUS, None, Bytes::new()).await,
            Wish::Status { json: false } => {
                // An edge shows its visitors to nobody.
                match send(server, Method::GET, OVERVIEW, None, Bytes::new()).await {
                    Err(RunningError::Refused(_, StatusCode::FORBIDDEN, _)) => {
                        send(server, Method::GET, STATUS, None, Bytes::new()).await
                    }
                    answer => answer,
                }
            }
            Wish::Reload { token } => send(server, Method::POST, RELOAD, token.as_ref(), Bytes::new()).await,
            Wish::Publish { channel, event, data, token } => {
                let event = event.iter().map(|event| format!("?event={}", utf8_percent_encode(event, NAME)));
                let url = format!("{CHANNELS}{}{}", utf8_percent_encode(channel, NAME), event.collect::<String>());
                let data = data.clone().map_or_else(read, |data| Ok(data.into()))?;
                send(server, Method::POST, &url, token.as_ref(), data).await
            }
        }
    })?;
    Ok(match wish {
        Wish::Status { json: true } => json_line(&asked),
        Wish::Status { json: false } => words::status(server, &asked),
        Wish::Reload { .. } => words::reloaded(&asked),
        Wish::Publish { channel, .. } => words::published(channel, &asked),
    })
}

/// What comes on standard input. A line break at its end belongs to the terminal.
fn read() -> Result<Bytes, RunningError> {
    let mut data = Vec::new();
    io::stdin().lock().take(EVENT as u64 + 3).read_to_end(&mut data).map_err(RunningError::Input)?;
    if data.ends_with(b"\n") {
        data.pop();
        data.pop_if(|last| *last == b'\r');
    }
    if data.len() > EVENT {
        return Err(RunningError::Input(io::Error::other("an event has at most 1 MiB")));
    }
    Ok(data.into())
}

/// Sends a request, to HTTPS if the server says that it speaks that, and reads the JSON of the answer.
async fn send(
    server: &ServerUrl,
    method: Method,
    url: &str,
    token: Option<&PathBuf>,
    data: Bytes,
) -> Result<Value, RunningError> {
    let token = token.map(|file| fs::read_to_string(file).map_err(|error| RunningError::Token(file.clone(), error)));
    let token = token.transpose()?;
    let url = server.of_ours(&SitePath::root(), url);
    let request = |server: &ServerUrl| {
        let data = data.clone();
        let body = Outgoing::of(Box::pin(stream::iter([Ok(data.clone())])));
        let request = Request::builder()
            .method(method.clone())
            .uri(&url)
            .header(header::HOST, server.authority())
            .header(header::CONTENT_LENGTH, data.len());
        let request = token
            .iter()
            .fold(request, |request, token| request.header(header::AUTHORIZATION, format!("Bearer {}", token.trim())));
        request.body(if data.is_empty() { Outgoing::default() } else { body })
    };
    let mut server = server.clone();
    loop {
        let failed = |why: String| RunningError::Unreachable(server.clone(), why);
        // Nobody else is at an address of this machine.
        let tls = server.is_secure.then(|| tls::connector(is_this_machine(&server)));
        let client = Client::new(server.clone(), tls);
        let request = request(&server).map_err(|error| failed(error.to_string()))?;
        let mut text = Vec::new();
        let answer = async {
            let answer = client.send(request).await.map_err(|failure| failed(failure.to_string()))?;
            let (head, mut body) = answer.into_parts();
            while let Some(part) = body.next().await {
                text.extend_from_slice(&part.map_err(|error| failed(error.to_string()))?);
                if text.len() > LARGEST {
                    return Err(RunningError::Foreign(server.clone()));
                }
            }
            Ok(head)
        };
        let answer = rt::time::timeout(PATIENCE, answer).await;
        let head = answer.map_err(|_| failed("does not answer".to_owned()))??;
        let location = head.headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        if !server.is_secure && head.status.is_redirection() && location.is_some_and(|it| it.starts_with("https://")) {
            server.is_secure = true;
            continue;
        }
        if !head.status.is_success() {
            // What somebody else's server says of it is of no use.
            let words = String::from_utf8(text).ok().filter(|words| words.len() < 200 && !words.contains('<'));
            return Err(match words {
                Some(words) if head.status != StatusCode::NOT_FOUND => {
                    RunningError::Refused(server, head.status, words.trim().to_owned())
                }
                _ => RunningError::Foreign(server),
            });
        }
        // All that we answer are objects.
        let answer = serde_json::from_slice::<Value>(&text).ok().filter(Value::is_object);
        return answer.ok_or(RunningError::Foreign(server));
    }
}

fn is_this_machine(server: &ServerUrl) -> bool {
    match &server.endpoint {
        Endpoint::Unix(_) => true,
        Endpoint::Tcp(host, _) => {
            host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    }
}
