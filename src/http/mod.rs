//! Stage 4: requests, streams, pages. The only place that names actix.

pub mod assets;
mod body;
mod channel_feed;
mod channels;
pub mod clients;
pub mod conditional;
mod feed;
pub mod files;
pub mod frame;
pub mod guard;
pub mod incoming;
pub mod inject;
mod log;
mod long_poll;
pub mod negotiate;
pub mod pages;
pub mod policy;
mod received;
mod socket;
pub mod status;
pub mod stream;
mod viewer;

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::web;
use actix_web::web::Data;
use actix_web::web::ServiceConfig;
use tokio::sync::Semaphore;

use crate::console::Notice;
use crate::http::clients::Clients;
use crate::http::guard::Guard;
use crate::http::incoming::Room;
use crate::http::negotiate::Wanted;
use crate::hub::Hub;
use crate::root::Root;
use crate::site_path::SitePath;

/// Where the stream of a page is.
pub const EVENTS: &str = "/_savecast/events";

/// What requests are answered from.
pub struct Site {
    /// The served directory.
    pub root: Root,
    /// Where updates come from.
    pub hub: Arc<Hub>,
    /// Who may ask.
    pub guard: Guard,
    /// The number of followed paths, and of watched directories.
    pub watched: Box<dyn Fn() -> (usize, usize) + Send + Sync>,
    /// Where bodies are kept while they come.
    pub room: Room,
    /// The clients of pages, each with its stream.
    pub clients: Clients,
    /// Tells the person at the terminal.
    pub say: fn(&Notice<'_>),
    /// How many large files may be on their way at once. Each of them is open.
    pub downloads: Arc<Semaphore>,
}

/// All routes, for the server and for the tests.
pub fn routes(app: &mut ServiceConfig, site: &Data<Site>) {
    app.app_data(site.clone()).service(
        web::scope("")
            .wrap(from_fn(guard::middleware))
            .route(EVENTS, web::route().to(stream::page))
            .route("/_savecast/status", web::route().to(status::json))
            .route(channels::CHANNELS, web::route().to(channels::list))
            .route("/_savecast/channels/{name:.+}", web::route().to(channels::channel))
            .route("/_savecast/{asset:.*}", web::route().to(assets::serve))
            .default_service(web::route().to(any_file)),
    );
}

/// Every URL under the root: the file, or the stream of its contents.
async fn any_file(request: HttpRequest, site: Data<Site>, payload: web::Payload) -> HttpResponse {
    let wanted = match negotiate::wanted(request.method(), request.headers()) {
        Ok(wanted) => wanted,
        Err(not_allowed) => {
            return HttpResponse::MethodNotAllowed()
                .insert_header((header::ALLOW, not_allowed.allow))
                .content_type("text/plain; charset=utf-8")
                .body("this method is not for files\n");
        }
    };
    match (SitePath::from_url(request.uri().path()), wanted) {
        (Some(path), Wanted::File) => long_poll::serve(&request, site, path).await,
        (Some(path), Wanted::Events) => stream::file(&request, site, path).await,
        (Some(path), Wanted::Socket) => socket::file(&request, &site, path, payload),
        (None, Wanted::File) => pages::not_found(&request, None, false),
        (None, Wanted::Events | Wanted::Socket) => HttpResponse::NotFound().body("no such file\n"),
    }
}
