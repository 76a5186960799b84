//! The browser's part, compiled in.

use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::json;

use crate::content::Version;

/// The files of `static/`, by name.
const ASSETS: [(&str, &str); 41] = [
    (CLIENT, include_str!("../../../static/client.js")),
    ("live.js", include_str!("../../../static/live.js")),
    ("live.d.ts", include_str!("../../../static/live.d.ts")),
    (PATHS, include_str!("../../../static/paths.js")),
    ("protocol.d.ts", include_str!("../../../static/protocol.d.ts")),
    ("page/answer.js", include_str!("../../../static/page/answer.js")),
    ("page/console.js", include_str!("../../../static/page/console.js")),
    ("page/effects.js", include_str!("../../../static/page/effects.js")),
    ("page/loads.js", include_str!("../../../static/page/loads.js")),
    ("page/reload.js", include_str!("../../../static/page/reload.js")),
    ("page/report.js", include_str!("../../../static/page/report.js")),
    ("page/resources.js", include_str!("../../../static/page/resources.js")),
    ("page/source.js", include_str!("../../../static/page/source.js")),
    ("page/sourcemap.js", include_str!("../../../static/page/sourcemap.js")),
    ("page/start.js", include_str!("../../../static/page/start.js")),
    ("page/varying.js", include_str!("../../../static/page/varying.js")),
    ("apply/pictures.js", include_str!("../../../static/apply/pictures.js")),
    ("apply/state.js", include_str!("../../../static/apply/state.js")),
    ("apply/styles.js", include_str!("../../../static/apply/styles.js")),
    ("apply/swap.js", include_str!("../../../static/apply/swap.js")),
    ("apply/trusted.js", include_str!("../../../static/apply/trusted.js")),
    ("apply/morph/align.js", include_str!("../../../static/apply/morph/align.js")),
    ("apply/morph/dom.js", include_str!("../../../static/apply/morph/dom.js")),
    ("apply/morph/plan.js", include_str!("../../../static/apply/morph/plan.js")),
    ("stream/connection.js", include_str!("../../../static/stream/connection.js")),
    ("stream/patch.js", include_str!("../../../static/stream/patch.js")),
    ("stream/sse.js", include_str!("../../../static/stream/sse.js")),
    ("stream/worker.js", include_str!("../../../static/stream/worker.js")),
    ("data/bind.js", include_str!("../../../static/data/bind.js")),
    ("data/follow.js", include_str!("../../../static/data/follow.js")),
    ("ui/icon.svg", include_str!("../../../static/ui/icon.svg")),
    ("ui/json.js", include_str!("../../../static/ui/json.js")),
    ("ui/listing.css", include_str!("../../../static/ui/listing.css")),
    ("ui/listing.js", include_str!("../../../static/ui/listing.js")),
    ("ui/overlay.js", include_str!("../../../static/ui/overlay.js")),
    ("ui/pages.css", include_str!("../../../static/ui/pages.css")),
    ("ui/status.css", include_str!("../../../static/ui/status.css")),
    ("ui/status.html", include_str!("../../../static/ui/status.html")),
    ("ui/status.js", include_str!("../../../static/ui/status.js")),
    ("ui/view.css", include_str!("../../../static/ui/view.css")),
    ("ui/view.js", include_str!("../../../static/ui/view.js")),
];

/// The module that knows at which directories other servers are, and where it keeps that.
const PATHS: &str = "paths.js";
const SERVERS: &str = "export let servers = \"\";";

/// Where the script of each page keeps in which directory its modules are.
const MODULES: &str = "const MODULES = \"\";";

/// Where it keeps what it tells of the console.
const CONSOLE: &str = "const CONSOLE = \"errors\";";

/// What browsers take for the map from that script to its source. It says that the frames of the script are to be passed over where
/// somebody looks for what has written into the console (ECMA-426, `ignoreList`).
const CLIENT_MAP: &str = "client.js.map";

/// That script, which is no module.
const CLIENT: &str = "client.js";

/// How much of its console a page tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageConsole {
    /// What goes wrong.
    #[default]
    Errors,
    /// All that is written there.
    All,
    /// Nothing.
    Off,
}

impl PageConsole {
    fn name(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::All => "all",
            Self::Off => "off",
        }
    }
}

/// The browser's part, as this server sends it.
///
/// Each module is at a URL with the version of all of them, so that browsers ask for it once: `/_savecast/VERSION/NAME`. At
/// `/_savecast/NAME` is a module that leads there. So a page has each module once, whoever imports it.
pub struct Assets {
    servers: String,
    console: PageConsole,
    /// Known when somebody asks for it, because it takes a look at all of them.
    version: OnceLock<String>,
}

impl Assets {
    /// Where other servers are at these directories of the site: as they stand in a URL, separated by spaces. Pages tell so much of
    /// their console.
    pub(crate) fn new(servers: String, console: PageConsole) -> Self {
        Self { servers, console, version: OnceLock::new() }
    }

    fn version(&self) -> &str {
        self.version.get_or_init(|| {
            let texts = ASSETS.iter().flat_map(|(name, text)| [*name, *text]);
            let all = texts.chain([self.servers.as_str()]).collect::<Vec<_>>().join("\n");
            format!("{:016x}", Version::of(all.as_bytes()).short())
        })
    }

    /// What is at a URL below ours, and whether that stays the same for ever.
    pub(crate) fn find(&self, url: &str) -> Option<(&'static str, Bytes, bool)> {
        let versioned = url.strip_prefix(self.version()).and_then(|rest| rest.strip_prefix('/'));
        let name = versioned.unwrap_or(url);
        if name == CLIENT_MAP {
            return Some((CLIENT_MAP, client_map().into(), versioned.is_some()));
        }
        let (name, text) = ASSETS.iter().find(|(asset, _)| *asset == name)?;
        let text = if *name == CLIENT {
            let modules = MODULES.replace("\"\"", &format!("\"{}/\"", self.version()));
            let console = CONSOLE.replace("errors", self.console.name());
            Bytes::from(text.replace(MODULES, &modules).replace(CONSOLE, &console))
        } else if versioned.is_none() && name.rsplit_once('.').is_some_and(|(_, extension)| extension == "js") {
            let up = "../".repeat(name.matches('/').count());
            Bytes::from(format!("export * from \"./{up}{}/{name}\";\n", self.version()))
        } else if *name == PATHS {
            Bytes::from(text.replace(SERVERS, &SERVERS.replace("\"\"", &format!("{:?}", self.servers))))
        } else {
            Bytes::from_static(text.as_bytes())
        };
        Some((name, text, versioned.is_some()))
    }
}

/// Each line of the script is the same line of its source.
fn client_map() -> String {
    let (_, text) = ASSETS.iter().find(|(name, _)| *name == CLIENT).expect("it is one of them");
    let lines = "AAAA".to_owned() + &";AACA".repeat(text.lines().count().saturating_sub(1));
    json!({ "version": 3, "sources": [CLIENT], "ignoreList": [0], "x_google_ignoreList": [0], "mappings": lines })
        .to_string()
}
