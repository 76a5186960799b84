//! Notices for programs.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::console::printable::causes;
use crate::console::printable::is_hidden;
use crate::notice::Notice;
use crate::notice::PageMessage;
use crate::site::SitePath;
use crate::site::rules::line::RemarkKind;

/// The notice for programs: an object with the kind of `event`, its fields, and the `message` for people.
pub fn json(notice: &Notice<'_>) -> Value {
    let (event, fields) = match notice {
        Notice::Ready { name, url, network, certificate } => {
            ("ready", json!({ "name": name, "url": url, "network": network, "certificate": certificate }))
        }
        Notice::NotTrusted => ("not-trusted", json!({})),
        Notice::Doubted { .. } => ("doubted", json!({})),
        Notice::NotCertified { names } => ("not-certified", json!({ "names": names })),
        Notice::Certificate { file } => ("certificate", json!({ "file": file.display().to_string() })),
        Notice::CertificateKept { error, .. } => ("certificate-kept", json!({ "problem": causes(*error) })),
        Notice::Running { command } => ("running", json!({ "command": command })),
        Notice::Trust { store, is_added, is_changed } => {
            ("trust", json!({ "store": store, "added": is_added, "changed": is_changed }))
        }
        Notice::TrustFailed { store, .. } => ("trust-failed", json!({ "store": store })),
        Notice::StartAgain => ("start-again", json!({})),
        Notice::Mkcert { .. } => ("mkcert", json!({})),
        Notice::PortTaken { taken } => ("port-taken", json!({ "port": taken })),
        Notice::Broken { path, problem } => {
            let place = problem.place.unzip();
            (
                "problem",
                json!({ "path": path.as_str(), "line": place.0, "column": place.1, "problem": problem.message }),
            )
        }
        Notice::Rule { path, remark } => (
            if remark.kind == RemarkKind::Differs { "rule" } else { "problem" },
            json!({ "path": path.as_str(), "line": remark.line, "problem": remark.message }),
        ),
        Notice::RuleUse { line, place, .. } => {
            ("rule", json!({ "path": "/_redirects", "line": line, "place": place.map(SitePath::as_str) }))
        }
        Notice::NotLive { path, reason, .. } => ("not-live", json!({ "path": path.as_str(), "reason": reason })),
        Notice::Forbidden { path, directive } => ("not-live", json!({ "path": path.as_str(), "directive": directive })),
        Notice::Refused { origin, host } => ("refused", json!({ "origin": origin, "host": host })),
        Notice::ForeignHost { name } => ("foreign-host", json!({ "name": name })),
        Notice::Away { server, why } => ("away", json!({ "server": server.to_string(), "problem": why })),
        Notice::RelayAway { server, why } => ("relay-away", json!({ "server": server.to_string(), "problem": why })),
        Notice::RelayRefuses { server, why } => {
            ("relay-refuses", json!({ "server": server.to_string(), "problem": why }))
        }
        Notice::RelayBack { server, elapsed } => {
            ("relay-back", json!({ "server": server.to_string(), "seconds": elapsed.as_secs_f64() }))
        }
        Notice::Draining { time } => ("draining", json!({ "seconds": time.as_secs() })),
        Notice::OriginAway => ("origin-away", json!({})),
        Notice::OriginBack => ("origin-back", json!({})),
        Notice::Back { server, elapsed } => {
            ("back", json!({ "server": server.to_string(), "ms": milliseconds(*elapsed) }))
        }
        Notice::Echo { file, .. } => ("echo", json!({ "file": file.display().to_string() })),
        Notice::Polled(_) => ("polled", json!({})),
        Notice::Sent { report } => (
            "sent",
            json!({
                "path": report.path.as_str(),
                "removed": report.is_removed,
                "listeners": report.listeners,
                "ms": milliseconds(report.elapsed),
            }),
        ),
        Notice::Effect { effect, path, more } => {
            ("effect", json!({ "effect": effect, "path": path.as_str(), "more": more }))
        }
        Notice::Missing { path, page } => ("missing", json!({ "path": path.as_str(), "page": page })),
        Notice::Page { message, left_out } => {
            let PageMessage { kind, page, message, url, place, count } = message;
            let place = place.unzip();
            (
                "page",
                json!({
                    "kind": kind, "page": page, "text": message, "url": url, "line": place.0, "column": place.1,
                    "count": count, "left_out": left_out,
                }),
            )
        }
        Notice::Request { method, url, status, bytes, elapsed } => (
            "request",
            json!({ "method": method, "url": url, "status": status, "bytes": bytes, "ms": milliseconds(*elapsed) }),
        ),
        Notice::NotOpened { url, .. } => ("not-opened", json!({ "url": url })),
        Notice::Failed { .. } => ("failed", json!({})),
    };
    let mut object = json!({ "event": event, "message": notice.to_string() });
    if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
        object.extend(fields);
    }
    object
}

/// JSON as it stands in a line: what a terminal takes for a command is written as JSON writes it. It stands in texts alone.
pub fn json_line(value: &Value) -> String {
    let mut line = String::new();
    for letter in value.to_string().chars() {
        if is_hidden(letter) {
            write!(line, "\\u{:04x}", u32::from(letter)).expect("writing to a string can't fail");
        } else {
            line.push(letter);
        }
    }
    line
}

/// With three digits behind the point.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
