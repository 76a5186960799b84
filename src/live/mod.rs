//! A live directory, pages and channels in somebody's own actix-web app.

mod builder;
mod channel;
mod error;
#[cfg(feature = "cli")]
mod proxies;
mod shared;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
#[cfg(feature = "cli")]
use std::sync::atomic::Ordering;

use actix_web::web::ServiceConfig;
#[cfg(feature = "cli")]
use tokio::sync::oneshot;

use crate::http;
use crate::http::html::middleware::Inject;
#[cfg(feature = "cli")]
use crate::http::state::Network;
use crate::http::urls::PREFIX;
use crate::hub::ChannelName;
pub use crate::live::builder::LiveBuilder;
#[cfg(feature = "cli")]
pub(crate) use crate::live::builder::ProxyOptions;
pub use crate::live::channel::Channel;
pub use crate::live::error::LiveError;
use crate::live::shared::Shared;
use crate::site::SitePath;

/// A live directory, live pages and channels in your own actix-web app.
///
/// It is cheap to clone, and all clones are the same one. Nothing is watched until somebody listens. When the last clone is
/// dropped, its streams end and its thread stops. Several of them in one process know nothing of each other, but each needs
/// an app of its own, because they share the URLs below `/_savecast`.
///
/// ```no_run
/// use actix_web::{App, HttpResponse, HttpServer, get, http::header::ContentType};
/// use savecast::Live;
///
/// #[get("/")]
/// async fn home() -> HttpResponse {
///     let page = "<!doctype html><link rel=stylesheet href=/assets/style.css><h1>Hello</h1>";
///     HttpResponse::Ok().content_type(ContentType::html()).body(page)
/// }
///
/// #[actix_web::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let live = Live::new("assets")?;
///     HttpServer::new(move || App::new().wrap(live.inject()).service(home).configure(live.mount("/assets")))
///         .bind(("127.0.0.1", 8080))?
///         .run()
///         .await?;
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Live {
    shared: Arc<Shared>,
}

impl LiveBuilder {
    /// Makes it.
    ///
    /// # Errors
    ///
    /// If there is no such directory, or it can't be read.
    pub fn build(self) -> Result<Live, LiveError> {
        Ok(Live { shared: Arc::new(Shared::new(self)?) })
    }
}

impl Live {
    /// A live directory.
    ///
    /// # Errors
    ///
    /// If there is no such directory, or it can't be read.
    pub fn new(directory: impl AsRef<Path>) -> Result<Self, LiveError> {
        Self::builder(directory).build()
    }

    /// The same with options.
    pub fn builder(directory: impl AsRef<Path>) -> LiveBuilder {
        LiveBuilder::new(directory.as_ref().to_owned())
    }

    /// Serves the directory below a path of the app, such as `/assets`, and what pages need below `/_savecast`. The requests to
    /// both must name this server as their host, so that no page of somebody else's can read them.
    ///
    /// URLs are read as hosts read them: `/assets/about` is `about.html`, and the nearest `404.html` answers for what is missing.
    /// `_redirects` and `_headers` are files like others, because the routes of the app are its rules.
    ///
    /// Routes that were added to the app before come first, so a directory at `/` serves what nobody else does. It belongs to the
    /// app itself, and not to a scope: pages look for `/_savecast`. It is called for each worker, each time with the same path.
    ///
    /// # Panics
    ///
    /// If that is no path of a URL, or below `/_savecast`, or another one than the first time.
    pub fn mount(&self, path: &str) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let prefix = SitePath::from_url(path).filter(|_| !path.contains(['?', '#']) && !path.starts_with(PREFIX));
        let prefix = prefix.unwrap_or_else(|| panic!("{path:?} is no path such as \"/assets\"")).as_directory();
        let state = self.shared.start(&prefix);
        assert_eq!(state.prefix, prefix, "a Live is mounted at one path");
        move |app| http::routes(app, &state)
    }

    /// Middleware that puts the client into the HTML that handlers render, also into the page of a `404`. Such pages are changed
    /// in place or loaded again when something that they use is saved, when you say that they have changed, and when your
    /// program has started again.
    ///
    /// For each page without scripts that it loads, the client asks for the page once more, with the query `savecast-source`; before
    /// it loads a page again, it asks with `HEAD` whether the page is there, for which the handler of `GET` runs. Handlers below
    /// the path of the mount are left alone.
    ///
    /// Streamed pages stay streamed. Answers to a `POST` are left alone, because loading them again would send the form again. What is compressed already is left as it is, so let the app compress last:
    /// `.wrap(live.inject()).wrap(Compress::default())`. It needs a [`mount`](Self::mount) in the same app.
    #[must_use]
    pub fn inject(&self) -> Inject {
        Inject::new(self.shared.state.clone())
    }

    /// A channel: named events without a file. Pages listen with `new EventSource("/_savecast/channels/NAME")`.
    ///
    /// ```
    /// # fn main() -> Result<(), savecast::LiveError> {
    /// # let live = savecast::Live::new(std::env::temp_dir())?;
    /// let listeners = live.channel("users/42")?.publish("push", r#"{"n":1}"#);
    /// assert_eq!(listeners, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If that is no name: it has 1 to 200 bytes without control characters.
    pub fn channel(&self, name: &str) -> Result<Channel, LiveError> {
        let name = ChannelName::new(name).ok_or_else(|| LiveError::ChannelName(name.to_owned()))?;
        Ok(Channel { shared: self.shared.clone(), name })
    }

    /// Has every open page loaded again.
    ///
    /// ```
    /// # fn main() -> Result<(), savecast::LiveError> {
    /// # let live = savecast::Live::new(std::env::temp_dir())?;
    /// // What all pages are made of has changed, such as a template.
    /// live.reload();
    /// # Ok(())
    /// # }
    /// ```
    pub fn reload(&self) {
        self.shared.hub.reload();
    }

    /// What is at this path, such as `/orders/42`, is another thing now. Pages that show it load it again, or are changed in place,
    /// and streams of it send an event. What is no path of a URL concerns nobody.
    ///
    /// ```
    /// # fn main() -> Result<(), savecast::LiveError> {
    /// # let live = savecast::Live::new(std::env::temp_dir())?;
    /// live.changed("/orders/42");
    /// # Ok(())
    /// # }
    /// ```
    pub fn changed(&self, path: &str) {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        if let Some(path) = SitePath::from_url(path) {
            self.shared.rendered.change(&path);
            self.shared.handle.changed(path);
        }
    }

    /// Ends all streams, each with an `end` event, and stops to watch. A server that stops gracefully waits for what is still being
    /// sent, which streams always are: call this first, or set a short `HttpServer::shutdown_timeout`.
    pub fn close(&self) {
        self.shared.close();
    }
}

/// What the command needs besides.
#[cfg(feature = "cli")]
impl Live {
    pub(crate) fn name(&self) -> String {
        self.shared.options.name().unwrap_or_else(|| self.shared.directory.name().into_owned())
    }

    /// Takes no new streams from now on.
    pub(crate) fn drain(&self) {
        if let Some(state) = self.shared.state.get() {
            state.is_draining.store(true, Ordering::Relaxed);
        }
    }

    /// It is reached by other machines in this way.
    pub(crate) fn reached(&self, network: Network) {
        // It is said once.
        drop(self.shared.network.set(network));
    }

    /// Ends this share of all streams, from 0 to 1.
    pub(crate) fn end_some(&self, share: f64) {
        self.shared.hub.end_some(share);
    }

    /// Others reach this server at this URL.
    pub(crate) fn announce(&self, url: &str) {
        if let Some(relay) = self.shared.relay() {
            relay.announce(url.to_owned());
        }
    }

    /// Waits until other instances know that this one has closed, if there are some.
    pub(crate) async fn left(&self) {
        if let Some(relay) = self.shared.relay() {
            relay.ended().await;
        }
    }

    /// Ready when files are no longer watched, which is a bug if nobody has stopped it.
    pub(crate) fn ended(&self) -> Option<oneshot::Receiver<()>> {
        self.shared.lock().ended.take()
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("directory", &self.shared.directory.path()).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_watching_is_noticed_whenever_it_began() {
        let live = Live::new(std::env::temp_dir()).unwrap();
        let ended = live.ended().expect("it is asked for once");
        drop(live.mount("/"));
        live.close();
        assert!(ended.blocking_recv().is_err());
    }
}
