//! An actix-web app whose pages are live: save a template or the stylesheet, and look at the browser.
//!
//! ```sh
//! cargo run --example actix-app
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::sync::Mutex;

use actix_web::App;
use actix_web::HttpResponse;
use actix_web::HttpServer;
use actix_web::Responder;
use actix_web::get;
use actix_web::http::header::ContentType;
use actix_web::post;
use actix_web::web;
use actix_web::web::Data;
use actix_web::web::Form;
use actix_web::web::Redirect;
use minijinja::Environment;
use minijinja::context;
use minijinja::path_loader;
use notify::RecursiveMode;
use notify::Watcher;
use savecast::Live;
use serde::Deserialize;

/// Where the templates and the assets are.
fn here() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/actix-app");
    std::env::args_os().nth(1).map_or_else(|| default.into(), PathBuf::from)
}

#[derive(Default)]
struct Orders(Mutex<Vec<String>>);

#[get("/")]
async fn home(orders: Data<Orders>) -> Result<impl Responder, Box<dyn Error>> {
    // A new environment reads the template anew.
    let mut templates = Environment::new();
    templates.set_loader(path_loader(here().join("templates")));
    let orders = orders.0.lock().map(|orders| orders.clone()).unwrap_or_default();
    let html = templates.get_template("home.html")?.render(context! { orders })?;
    Ok(HttpResponse::Ok().content_type(ContentType::html()).body(html))
}

/// The app's own page for what is missing, which is live, too.
async fn missing() -> impl Responder {
    HttpResponse::NotFound()
        .content_type(ContentType::html())
        .body("<!doctype html><title>Missing</title><h1>Nothing is here</h1>")
}

#[derive(Deserialize)]
struct Order {
    what: String,
}

#[post("/orders")]
async fn order(orders: Data<Orders>, live: Data<Live>, Form(order): Form<Order>) -> impl Responder {
    if let Ok(mut orders) = orders.0.lock() {
        orders.push(order.what);
    }
    // Everybody who has the page open sees the new order.
    live.changed("/");
    Redirect::to("/").see_other()
}

#[expect(clippy::print_stdout, reason = "the address is what to open")]
#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let live = Live::new(here().join("assets"))?;

    // Nothing but the app knows which pages a template is in, so all of them are loaded again.
    let pages = live.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| event.kind.is_modify() || event.kind.is_create()) {
            pages.reload();
        }
    })?;
    watcher.watch(&here().join("templates"), RecursiveMode::Recursive)?;

    let orders = Data::new(Orders::default());
    let app = move || {
        App::new()
            .app_data(orders.clone())
            .app_data(Data::new(live.clone()))
            .wrap(live.inject())
            .service(home)
            .service(order)
            .configure(live.mount("/assets"))
            .default_service(web::route().to(missing))
    };
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8080);
    // Don't wait 30 s for open streams.
    let server = HttpServer::new(app).shutdown_timeout(1).bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("http://{address}/");
    }
    Ok(server.run().await?)
}
