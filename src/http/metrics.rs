//! How it stands with this instance, for load balancers and for Prometheus.

use std::fmt::Write;
use std::sync::atomic::Ordering;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;

use crate::http::state::AppState;
use crate::hub::BOUNDS;

/// `GET /_savecast/health`: 200 if requests may come here, and 503 if they are better sent to another instance, with a word on why.
pub(super) async fn health(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return not_allowed();
    }
    let mut answer = if state.is_draining.load(Ordering::Relaxed) {
        (HttpResponse::ServiceUnavailable(), "this instance is about to end\n")
    } else {
        relayed(&state)
    };
    answer.0.insert_header((header::CACHE_CONTROL, "no-store")).content_type("text/plain; charset=utf-8").body(answer.1)
}

#[cfg(feature = "cli")]
fn relayed(state: &AppState) -> (actix_web::HttpResponseBuilder, &'static str) {
    let Some(relay) = &state.relay else { return (HttpResponse::Ok(), "ok\n") };
    match relay.edge() {
        Some(edge) if !edge.has_begun() => (HttpResponse::ServiceUnavailable(), "no origin has told anything yet\n"),
        // All edges are so, and all of them serve what they have.
        _ if !relay.status().is_up => (HttpResponse::Ok(), "ok, but Redis is away\n"),
        Some(edge) if edge.away().is_some() => (HttpResponse::Ok(), "ok, but there is no origin\n"),
        _ => (HttpResponse::Ok(), "ok\n"),
    }
}

#[cfg(not(feature = "cli"))]
fn relayed(_: &AppState) -> (actix_web::HttpResponseBuilder, &'static str) {
    (HttpResponse::Ok(), "ok\n")
}

/// `GET /_savecast/metrics`: numbers in the text format of Prometheus, version 0.0.4, with base units.
pub(super) async fn metrics(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return not_allowed();
    }
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(write(&state))
}

fn not_allowed() -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET, HEAD")).finish()
}

/// The lines of all metrics.
struct Lines(String);

impl Lines {
    /// A metric with one value.
    fn add(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.begin(name, kind, help);
        self.line(name, "", value);
    }

    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("writing to a string can't fail");
    }

    fn line(&mut self, name: &str, labels: &str, value: f64) {
        writeln!(self.0, "{name}{labels} {value}").expect("writing to a string can't fail");
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus counts with floats")]
fn write(state: &AppState) -> String {
    let counted = state.hub.stats();
    let (_, directories) = (state.watched)();
    let mut lines = Lines(String::new());
    lines.begin("savecast_build_info", "gauge", "The version of savecast.");
    lines.line("savecast_build_info", concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0);
    lines.add("savecast_listeners", "gauge", "Open streams.", counted.streams as f64);
    lines.add("savecast_followed_paths", "gauge", "Paths that somebody follows.", counted.followed as f64);
    lines.add("savecast_watched_directories", "gauge", "Watched directories.", directories as f64);
    lines.add("savecast_updates_total", "counter", "Updates of followed files.", counted.updates as f64);
    lines.add("savecast_problems", "gauge", "Followed files that are broken now.", counted.problems as f64);
    lines.add(
        "savecast_sent_bytes_total",
        "counter",
        "Bytes of events sent by server-sent events, before HTTP and TLS.",
        state.sent.load(Ordering::Relaxed) as f64,
    );
    lines.add(
        "savecast_gaps_total",
        "counter",
        "How often a listener was told that events of a channel are lost.",
        counted.gaps as f64,
    );
    let (name, latencies) = ("savecast_delivery_seconds", counted.latencies);
    lines.begin(name, "histogram", "From the word of the system that a file has changed to its last listener.");
    for (bound, count) in BOUNDS.iter().zip(latencies.within) {
        lines.line(&format!("{name}_bucket"), &format!("{{le=\"{bound}\"}}"), count as f64);
    }
    lines.line(&format!("{name}_bucket"), "{le=\"+Inf\"}", latencies.count as f64);
    lines.line(&format!("{name}_sum"), "", latencies.sum);
    lines.line(&format!("{name}_count"), "", latencies.count as f64);
    #[cfg(feature = "cli")]
    if let Some(relay) = &state.relay {
        let status = relay.status();
        lines.add("savecast_relay_up", "gauge", "Whether Redis answers.", f64::from(u8::from(status.is_up)));
        let lag = status.lag.unwrap_or_default().as_secs_f64();
        lines.add("savecast_relay_lag_seconds", "gauge", "How long Redis took to answer last.", lag);
        let reconnects = status.reconnects as f64;
        lines.add("savecast_relay_reconnects_total", "counter", "How often Redis was lost and found.", reconnects);
        if let Some(has_origin) = status.has_origin {
            let help = "Whether an origin tells this edge what stands in the site.";
            lines.add("savecast_origin_up", "gauge", help, f64::from(u8::from(has_origin)));
        }
    }
    lines.0
}
