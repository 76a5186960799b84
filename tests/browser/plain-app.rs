//! An actix-web app that knows nothing of savecast, for tests of the proxy: it renders `page.html` and serves `static`.
//!
//! Its arguments are a directory and a port.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use actix_web::App;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::HttpServer;
use actix_web::http::header::ContentType;
use actix_web::web;
use actix_web::web::Data;

struct Folder(PathBuf);

async fn page(folder: Data<Folder>) -> Result<HttpResponse, Box<dyn Error>> {
    let page = fs::read_to_string(folder.0.join("page.html"))?;
    if page.contains("{% if %}") {
        let error = "<!doctype html><title>Bad template</title><h1>Bad template</h1>";
        return Ok(HttpResponse::InternalServerError().content_type(ContentType::html()).body(error));
    }
    Ok(HttpResponse::Ok().content_type(ContentType::html()).body(page.replace("{{ word }}", &word(&folder)?)))
}

/// What the app has read when it started stands for its own source.
fn word(folder: &Folder) -> Result<String, std::io::Error> {
    static WORD: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    match WORD.get() {
        Some(word) => Ok(word.clone()),
        None => fs::read_to_string(folder.0.join("source.txt")).map(|word| WORD.get_or_init(|| word).clone()),
    }
}

async fn file(folder: Data<Folder>, request: HttpRequest) -> Result<HttpResponse, std::io::Error> {
    let name = request.match_info().query("name");
    let is_style = Path::new(name).extension().is_some_and(|ending| ending == "css");
    let media_type = if is_style { "text/css" } else { "text/javascript" };
    Ok(HttpResponse::Ok().content_type(media_type).body(fs::read(folder.0.join("static").join(name))?))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = Data::new(Folder(arguments.next().ok_or("a directory is needed")?.into()));
    let port = arguments.next().ok_or("a port is needed")?.parse::<u16>()?;
    word(&folder)?;
    let app = move || {
        App::new().app_data(folder.clone()).route("/", web::get().to(page)).route("/static/{name}", web::get().to(file))
    };
    HttpServer::new(app).workers(1).bind(("127.0.0.1", port))?.run().await?;
    Ok(())
}
