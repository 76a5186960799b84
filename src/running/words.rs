//! What a server has answered, in the words of the person who asks.

use serde_json::Map;
use serde_json::Value;

use crate::console::printable::printable;
use crate::site::ServerUrl;

/// How many open pages are named, and how many problems.
const NAMED: usize = 10;

/// What a server is doing.
pub(super) fn status(server: &ServerUrl, status: &Value) -> String {
    let text = |name: &str| status[name].as_str().unwrap_or_default();
    let count = |name: &str, one: &str, many: &str| counted(status[name].as_u64().unwrap_or_default(), one, many);
    let mut lines = vec![
        format!("savecast {}: {} at {}/", text("version"), text("root"), server.origin()),
        format!(
            "  {}, {} followed, {} watched, {}",
            count("streams", "stream", "streams"),
            count("followed", "file", "files"),
            count("watched_dirs", "directory", "directories"),
            count("updates", "update", "updates"),
        ),
    ];
    let latest = &status["latest"];
    if let Some(path) = latest["path"].as_str() {
        let listeners = counted(latest["listeners"].as_u64().unwrap_or_default(), "listener", "listeners");
        let ms = latest["ms"].as_f64().unwrap_or_default();
        lines.push(format!("  latest update: {path} to {listeners} in {ms:.2} ms"));
    }
    if let Some(server) = status["relay"]["server"].as_str() {
        let state = if status["relay"]["up"] == Value::Bool(true) { "is up" } else { "is away" };
        lines.push(format!("  {}, {server} {state}", status["relay"]["role"].as_str().unwrap_or_default()));
    }
    let nothing = Map::new();
    let tabs = status["tabs"].as_object().unwrap_or(&nothing).values();
    let tabs = tabs.filter_map(|tab| Some(format!("  open: {}", tab["page"].as_str()?)));
    lines.extend(some(tabs.collect(), "pages"));
    let files = status["files"].as_object().unwrap_or(&nothing).iter();
    let problems = files.filter_map(|(path, file)| {
        let problem = &file["problem"];
        let message = problem["message"].as_str()?;
        let place = problem["line"].as_u64().zip(problem["column"].as_u64());
        let place = place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
        Some(format!("  problem: {path}{place}: {message}"))
    });
    lines.extend(some(problems.collect(), "problems"));
    lines.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n")
}

pub(super) fn reloaded(answer: &Value) -> String {
    match answer["streams"].as_u64().unwrap_or_default() {
        0 => "no page is open".to_owned(),
        browsers => format!("the pages of {} load again", counted(browsers, "browser", "browsers")),
    }
}

pub(super) fn published(channel: &str, answer: &Value) -> String {
    let listeners = counted(answer["listeners"].as_u64().unwrap_or_default(), "listener", "listeners");
    let id = answer["id"].as_str().unwrap_or_default();
    printable(&format!("published to {channel} as {id}, to {listeners}"))
}

/// The first of them, and how many more there are.
fn some(mut lines: Vec<String>, what: &str) -> Vec<String> {
    let more = lines.len().saturating_sub(NAMED);
    if more > 0 {
        lines.truncate(NAMED);
        lines.push(format!("  and {more} more {what}"));
    }
    lines
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_server_says_what_it_is_doing() {
        let server = ServerUrl::parse("3000").unwrap();
        let mut told = json!({
            "version": "1.2.3", "root": "site", "streams": 1, "followed": 2, "watched_dirs": 1, "updates": 40,
            "latest": { "path": "/a.json", "listeners": 1, "ms": 0.454 },
            "tabs": { "0.0": { "page": "/\u{1b}[2J" } },
            "files": { "/b.json": { "problem": { "message": "trailing comma", "line": 3, "column": 5 } }, "/a.json": { "problem": null } },
        });
        assert_eq!(
            status(&server, &told).lines().collect::<Vec<_>>(),
            [
                "savecast 1.2.3: site at http://localhost:3000/",
                "  1 stream, 2 files followed, 1 directory watched, 40 updates",
                "  latest update: /a.json to 1 listener in 0.45 ms",
                "  open: /\\u{1b}[2J",
                "  problem: /b.json:3:5: trailing comma",
            ]
        );
        // An edge tells less.
        told = json!({ "version": "1.2.3", "root": "site", "streams": 0, "latest": null });
        assert_eq!(status(&server, &told).lines().count(), 2);
    }
}
